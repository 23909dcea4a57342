/**
 * Murmur3, 128 bits, seed 104729, as Kafka Streams hashes the left value of a foreign-key join. 64-bit arithmetic is done in
 * halves of 32: BigInt is more than ten times slower. Java: `org.apache.kafka.streams.state.internals.Murmur3.hash128`.
 *
 * @module
 */

import { cutCopy } from "../../../record/bytes.ts";

const SEED = 104729;
const C1_HIGH = 0x87c37b91, C1_LOW = 0x114253d5;
const C2_HIGH = 0x4cf5ad43, C2_LOW = 0x2745937f;
const N1 = 0x52dce729;
const N2 = 0x38495ab5;

const HASH = new Uint8Array(16);
const HASH_VIEW = new DataView(HASH.buffer);

// The result of the last operation, so that none has to allocate a pair.
let high = 0;
let low = 0;

/** The hash of `bytes[start, end)`: 16 bytes, both halves big-endian as Kafka Streams writes them. */
export function murmur3Hash128(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  seed: number = SEED,
): Uint8Array {
  const length = end - start;
  let h1High = 0, h1Low = seed, h2High = 0, h2Low = seed;
  const blocksEnd = start + (length & ~15);
  for (let at = start; at < blocksEnd; at += 16) {
    mixFirst(readUint32(bytes, at + 4), readUint32(bytes, at));
    rotateLeft(h1High ^ high, h1Low ^ low, 27);
    add(high, low, h2High, h2Low);
    multiply(high, low, 0, 5);
    add(high, low, 0, N1);
    h1High = high, h1Low = low;

    mixSecond(readUint32(bytes, at + 12), readUint32(bytes, at + 8));
    rotateLeft(h2High ^ high, h2Low ^ low, 31);
    add(high, low, h1High, h1Low);
    multiply(high, low, 0, 5);
    add(high, low, 0, N2);
    h2High = high, h2Low = low;
  }

  const rest = end - blocksEnd;
  if (rest > 8) {
    mixSecond(readTail(bytes, blocksEnd + 12, end), readTail(bytes, blocksEnd + 8, end));
    h2High ^= high, h2Low ^= low;
  }
  if (rest > 0) {
    mixFirst(readTail(bytes, blocksEnd + 4, end), readTail(bytes, blocksEnd, end));
    h1High ^= high, h1Low ^= low;
  }

  h1Low ^= length;
  h2Low ^= length;
  add(h1High, h1Low, h2High, h2Low);
  h1High = high, h1Low = low;
  add(h2High, h2Low, h1High, h1Low);
  h2High = high, h2Low = low;
  finish(h1High, h1Low);
  h1High = high, h1Low = low;
  finish(h2High, h2Low);
  h2High = high, h2Low = low;
  add(h1High, h1Low, h2High, h2Low);
  h1High = high, h1Low = low;
  add(h2High, h2Low, h1High, h1Low);

  HASH_VIEW.setInt32(0, h1High);
  HASH_VIEW.setInt32(4, h1Low);
  HASH_VIEW.setInt32(8, high);
  HASH_VIEW.setInt32(12, low);
  return cutCopy(HASH, 0, HASH.length);
}

function mixFirst(kHigh: number, kLow: number): void {
  multiply(kHigh, kLow, C1_HIGH, C1_LOW);
  rotateLeft(high, low, 31);
  multiply(high, low, C2_HIGH, C2_LOW);
}

function mixSecond(kHigh: number, kLow: number): void {
  multiply(kHigh, kLow, C2_HIGH, C2_LOW);
  rotateLeft(high, low, 33);
  multiply(high, low, C1_HIGH, C1_LOW);
}

function finish(hHigh: number, hLow: number): void {
  // h ^= h >>> 33 touches the low half only: its upper 31 bits are the high half shifted by one.
  multiply(hHigh, hLow ^ (hHigh >>> 1), 0xff51afd7, 0xed558ccd);
  multiply(high, low ^ (high >>> 1), 0xc4ceb9fe, 0x1a85ec53);
  low ^= high >>> 1;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

/** Up to four bytes, little-endian, as many as there are. */
function readTail(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = Math.min(end - at, 4) - 1; i >= 0; i--) value = (value << 8) | bytes[at + i];
  return value;
}

function add(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const sum = (aLow >>> 0) + (bLow >>> 0);
  low = sum | 0;
  high = (aHigh + bHigh + (sum > 0xffffffff ? 1 : 0)) | 0;
}

function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const a1 = aLow >>> 16, a0 = aLow & 0xffff;
  const b1 = bLow >>> 16, b0 = bLow & 0xffff;
  // The 64-bit product of the low halves, from four 32-bit ones.
  const p00 = Math.imul(a0, b0) >>> 0;
  const p01 = Math.imul(a0, b1) >>> 0;
  const p10 = Math.imul(a1, b0) >>> 0;
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  const carry = (Math.imul(a1, b1) >>> 0) + (p01 >>> 16) + (p10 >>> 16) + (middle >>> 16);
  low = ((middle << 16) | (p00 & 0xffff)) | 0;
  high = (carry + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0;
}

function rotateLeft(hHigh: number, hLow: number, by: number): void {
  const from = by < 32 ? hHigh : hLow;
  const into = by < 32 ? hLow : hHigh;
  const shift = by & 31;
  high = (from << shift) | (into >>> (32 - shift));
  low = (into << shift) | (from >>> (32 - shift));
}
