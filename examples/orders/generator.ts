/**
 * Seeded demo data: orders in event-time order with some out of order, some too late for their window, and a few corrupt ones. Equal seeds give
 * equal records.
 *
 * @module
 */
import type { Order, Payment } from "./schemas.ts";

/** How the data is made. */
export interface GeneratorOptions {
  readonly seed: number;
  /** Distinct customers. Default 100. */
  readonly customers?: number;
  /** Epoch ms of the first order. Default 2026-01-01T00:00:00Z. */
  readonly startMs?: number;
  /** Event time between two orders. Default 10 ms. */
  readonly stepMs?: number;
  /** One in so many orders is out of order by up to 5 s. Default 20. */
  readonly outOfOrderEvery?: number;
  /** One in so many orders is more than a window and its grace late. Default 500. */
  readonly lateEvery?: number;
  /** One in so many orders is not Avro at all; 0 for none. Default 2000. */
  readonly corruptEvery?: number;
}

/** An order, or bytes that are none. */
export interface GeneratedOrder {
  /** The customer, which is the record's key. */
  readonly key: string;
  /** Undefined when the record is corrupt: then `corrupt` holds its bytes. */
  readonly order: Order | undefined;
  readonly corrupt: Uint8Array | undefined;
  /** Epoch ms; the record's timestamp. */
  readonly timestamp: number;
}

/** Demo data starts here: 2026-01-01T00:00:00Z, a full minute. */
export const DEMO_START_MS = 1_767_225_600_000;

/** `count` orders. */
export function* generateOrders(
  count: number,
  options: GeneratorOptions,
): Generator<GeneratedOrder> {
  const random = mulberry32(options.seed);
  const customers = options.customers ?? 100;
  const startMs = options.startMs ?? DEMO_START_MS;
  const stepMs = options.stepMs ?? 10;
  const chance = (every: number) => every > 0 && random() < 1 / every;
  for (let i = 0; i < count; i++) {
    const key = `customer-${Math.floor(random() * customers)}`;
    let timestamp = startMs + i * stepMs;
    const late = chance(options.lateEvery ?? 500);
    const outOfOrder = chance(options.outOfOrderEvery ?? 20);
    const back = Math.floor(random() * 5_000);
    if (late) timestamp -= 75_000 + back;
    else if (outOfOrder) timestamp -= back;
    if (timestamp < startMs) timestamp = startMs;
    const amount = Math.round(random() * 20_000) / 100;
    if (chance(options.corruptEvery ?? 2_000)) {
      const corrupt = Uint8Array.of(0xff, i & 0xff, 0xfe, 0x00);
      yield { key, order: undefined, corrupt, timestamp };
      continue;
    }
    const order: Order = {
      orderId: `order-${options.seed}-${i}`,
      customerId: key,
      amount,
      currency: random() < 0.8 ? "EUR" : "USD",
      placedAt: timestamp,
    };
    yield { key, order, corrupt: undefined, timestamp };
  }
}

/** A payment for nine in ten of the orders, up to 40 s after it: some come too late for the join's 30 s. */
export function* generatePayments(
  orders: Iterable<GeneratedOrder>,
  seed: number,
): Generator<{ readonly key: string; readonly payment: Payment; readonly timestamp: number }> {
  const random = mulberry32(seed ^ 0x9e3779b9);
  for (const { order } of orders) {
    const paid = random() < 0.9;
    const delay = Math.floor(random() * 40_000);
    if (order === undefined || !paid) continue;
    const paidAt = order.placedAt + delay;
    yield {
      key: order.orderId,
      payment: { orderId: order.orderId, status: random() < 0.95 ? "PAID" : "DECLINED", paidAt },
      timestamp: paidAt,
    };
  }
}

/** A small seeded generator of numbers in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
