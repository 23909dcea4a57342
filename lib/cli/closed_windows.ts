import type { OrderStats } from "../../examples/orders/schemas.ts";
import { orderStats } from "../../examples/orders/topics.ts";
import type { ConsumedBatch } from "../kafka/client.ts";

/** A closed window, as the order pipeline wrote it. */
export interface ClosedWindow {
  readonly customer: string;
  /** The start of its minute, epoch ms. */
  readonly minute: number;
  readonly stats: OrderStats;
}

const VALUE = { topic: orderStats.topic, isKey: false };
const KEY = { topic: orderStats.topic, isKey: true };
const MINUTE_MS = 60_000;

/** The window in a row of the output topic. Its record's time is that of its last order, so the minute is known. */
export function closedWindow(batch: ConsumedBatch, row: number): ClosedWindow {
  const { slab, keyStarts, keyLengths, valueStarts, valueLengths, timestamps } = batch;
  const keyEnd = keyStarts[row] + keyLengths[row];
  const valueEnd = valueStarts[row] + valueLengths[row];
  return {
    customer: orderStats.key.decode(slab, keyStarts[row], keyEnd, KEY),
    minute: Math.floor(timestamps[row] / MINUTE_MS) * MINUTE_MS,
    stats: orderStats.value.decode(slab, valueStarts[row], valueEnd, VALUE),
  };
}

/** A closed window as one line for people. */
export function windowLine({ customer, minute, stats }: ClosedWindow): string {
  const time = new Date(minute).toISOString().slice(0, 16).replace("T", " ");
  const { count, total, max, lastOrderId } = stats;
  return `${time}  ${customer.padEnd(14)} ${String(count).padStart(5)} orders  total ${
    total.toFixed(2).padStart(10)
  }  max ${max.toFixed(2).padStart(7)}  last ${lastOrderId}\n`;
}
