/**
 * The hash by which Kafka's Java clients, and Weir, choose the partition of a key.
 *
 * @module
 */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** 32-bit murmur2 of `bytes[start, end)`, signed as in Java. Kafka: `Utils.murmur2`. */
export function murmur2(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const length = end - start;
  let h = SEED ^ length;
  let at = start;
  for (let left = length; left >= 4; left -= 4, at += 4) {
    let k = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  switch (length & 3) {
    case 3:
      h ^= bytes[at + 2] << 16;
      h ^= bytes[at + 1] << 8;
      h = Math.imul(h ^ bytes[at], M);
      break;
    case 2:
      h ^= bytes[at + 1] << 8;
      h = Math.imul(h ^ bytes[at], M);
      break;
    case 1:
      h = Math.imul(h ^ bytes[at], M);
      break;
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}

/** The partition that the key `bytes[start, end)` goes to. Kafka: `BuiltInPartitioner.partitionForKey`. */
export function murmur2Partition(
  bytes: Uint8Array,
  partitions: number,
  start = 0,
  end: number = bytes.length,
): number {
  return (murmur2(bytes, start, end) & 0x7fffffff) % partitions;
}
