import { KStreamFilter } from "../lib/dsl/processors/kstream_filter.ts";
import {
  KStreamMap,
  KStreamMapValues,
  KStreamSelectKey,
} from "../lib/dsl/processors/kstream_map.ts";
import { KStreamFlatMapValues } from "../lib/dsl/processors/kstream_flat_map.ts";
import { KStreamPeek } from "../lib/dsl/processors/kstream_peek.ts";
import type { ConsumedBatch } from "../lib/kafka/client.ts";
import { long, string } from "../lib/serde/primitives.ts";
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
const STEP_MS = 10;
const SERDES = { key: string(), value: long() };

function longs(topic: string, records: number): ConsumedBatch[] {
  const rows: InputRow<string, number>[] = [];
  for (let i = 0; i < records; i++) {
    rows.push({ key: `key-${(i * 7919) % KEYS}`, value: i, timestamp: i * STEP_MS });
  }
  return batchesOf(topic, SERDES, rows);
}

const STATELESS: OperatorCase[] = [
  {
    name: "source only",
    topology: () => source().addProcessor("peek", new KStreamPeek({ action: () => {} }), "in"),
    inputs: (records) => [longs("in", records)],
  },
  {
    name: "chain of five stateless operators",
    topology: () =>
      source()
        .addProcessor("1", new KStreamFilter<string, number>({ predicate: (v) => v >= 0 }), "in")
        .addProcessor(
          "2",
          new KStreamMapValues<string, number, number>({ mapper: (v) => v + 1 }),
          "1",
        )
        .addProcessor("3", new KStreamPeek<string, number>({ action: () => {} }), "2")
        .addProcessor(
          "4",
          new KStreamFilter<string, number>({ predicate: (v) => v < 0, not: true }),
          "3",
        )
        .addProcessor(
          "5",
          new KStreamMapValues<string, number, number>({ mapper: (v) => v * 2 }),
          "4",
        ),
    inputs: (records) => [longs("in", records)],
  },
  {
    name: "map to objects",
    topology: () =>
      source().addProcessor(
        "map",
        new KStreamMap<string, number, string, { n: number }>({ mapper: (v, k) => [k, { n: v }] }),
        "in",
      ),
    inputs: (records) => [longs("in", records)],
  },
  {
    name: "selectKey, flatMapValues",
    topology: () =>
      source()
        .addProcessor("1", new KStreamSelectKey<string, number, number>({ mapper: (v) => v }), "in")
        .addProcessor(
          "2",
          new KStreamFlatMapValues<number, number, number>({ mapper: (v) => [v, v] }),
          "1",
        ),
    inputs: (records) => [longs("in", records)],
  },
  {
    name: "mapValues to a sink",
    topology: () =>
      source()
        .addProcessor(
          "1",
          new KStreamMapValues<string, number, number>({ mapper: (v) => v + 1 }),
          "in",
        )
        .addSink("out", "out", SERDES, "1"),
    inputs: (records) => [longs("in", records)],
  },
];

function source(): Topology {
  return new Topology().addSource("in", "in", SERDES);
}

/** Every operator that is measured. */
export const OPERATORS: readonly OperatorCase[] = [...STATELESS];
