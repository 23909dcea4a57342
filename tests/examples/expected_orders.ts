/**
 * What the order topologies must give, calculated without the engine: plain loops over the generated records, partition by partition, in the order in which
 * they were written.
 */
import type { GeneratedOrder } from "../../examples/orders/generator.ts";
import type { EnrichedOrder, Order, OrderStats, Payment } from "../../examples/orders/schemas.ts";

const MINUTE = 60_000;
const GRACE = 10_000;

/** A window's result. */
export interface ExpectedWindow {
  readonly customer: string;
  readonly start: number;
  readonly stats: OrderStats;
}

/** The windows that close, and how many records come too late. */
export interface ExpectedAggregate {
  readonly windows: ExpectedWindow[];
  readonly late: number;
  readonly corrupt: number;
}

/** The aggregate of the orders of one partition. */
export function expectedAggregate(orders: Iterable<GeneratedOrder>): ExpectedAggregate {
  const open = new Map<
    string,
    {
      customer: string;
      start: number;
      count: number;
      total: number;
      max: number;
      lastOrderId: string;
    }
  >();
  let streamTime = -1;
  let late = 0;
  let corrupt = 0;
  for (const { key, order, timestamp } of orders) {
    if (order === undefined) {
      corrupt++;
      continue;
    }
    streamTime = Math.max(streamTime, timestamp);
    const start = timestamp - timestamp % MINUTE;
    if (start + MINUTE + GRACE <= streamTime) {
      late++;
      continue;
    }
    const name = `${key}@${start}`;
    const window = open.get(name) ??
      { customer: key, start, count: 0, total: 0, max: 0, lastOrderId: "" };
    open.set(name, {
      ...window,
      count: window.count + 1,
      total: window.total + order.amount,
      max: Math.max(window.max, order.amount),
      lastOrderId: order.orderId,
    });
  }
  const windows = [...open.values()]
    .filter(({ start }) => start + MINUTE + GRACE <= streamTime)
    .map(({ customer, start, ...stats }) => ({ customer, start, stats }));
  return { windows, late, corrupt };
}

/** Each pair of an order and its payment at most thirty seconds apart; lateness aside, which the caller's data must not have. */
export function expectedJoin(
  orders: Iterable<GeneratedOrder>,
  payments: Iterable<{ readonly payment: Payment; readonly timestamp: number }>,
): Map<string, EnrichedOrder> {
  const byId = new Map<string, { order: Order; timestamp: number }>();
  for (const { order, timestamp } of orders) {
    if (order) byId.set(order.orderId, { order, timestamp });
  }
  const joined = new Map<string, EnrichedOrder>();
  for (const { payment, timestamp } of payments) {
    const found = byId.get(payment.orderId);
    if (!found || Math.abs(found.timestamp - timestamp) > 30_000) continue;
    joined.set(payment.orderId, { ...found.order, status: payment.status, paidAt: payment.paidAt });
  }
  return joined;
}
