import type { ConsumedBatch } from "../lib/kafka/client.ts";
import { long, string } from "../lib/serde/primitives.ts";
import type { Serde } from "../lib/serde/serde.ts";
import { Topology } from "../lib/topology/topology.ts";
import { batchesOf, type InputRow } from "./single_task.ts";

/** An operator with its input. */
export interface OperatorCase {
  readonly name: string;
  /** How many records compared with the others; slow operators take fewer. */
  readonly share?: number;
  /** Bytes of record cache; 0 switches it off. Default: 64 MiB. */
  readonly cacheBytes?: number;
  topology(): Topology;
  inputs(records: number): readonly (readonly ConsumedBatch[])[];
}

const KEYS = 1000;
const STEP_MS = 1;

/** Text keys, whole numbers as values. */
export const LONGS: { key: Serde<string>; value: Serde<number> } = { key: string(), value: long() };
/** Text keys and values. */
export const TEXTS: { key: Serde<string>; value: Serde<string> } = {
  key: string(),
  value: string(),
};

/** Numbers under a thousand keys, 1 ms apart. */
export function longs(topic: string, records: number): ConsumedBatch[] {
  const rows: InputRow<string, number>[] = [];
  for (let i = 0; i < records; i++) rows.push({ key: keyOf(i), value: i, timestamp: i * STEP_MS });
  return batchesOf(topic, LONGS, rows);
}

/** Text under a thousand keys, 1 ms apart; `valueOf` makes it of the record's number. */
export function texts(
  topic: string,
  records: number,
  valueOf: (i: number) => string = (i) => `value-${i}`,
): ConsumedBatch[] {
  const rows: InputRow<string, string>[] = [];
  for (let i = 0; i < records; i++) {
    rows.push({ key: keyOf(i), value: valueOf(i), timestamp: i * STEP_MS });
  }
  return batchesOf(topic, TEXTS, rows);
}

function keyOf(i: number): string {
  return `key-${(i * 7919) % KEYS}`;
}

/** A topology that reads `in`. */
export function source(): Topology {
  return new Topology().addSource("in", "in", LONGS);
}
