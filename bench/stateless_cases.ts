import { KStreamFilter } from "../lib/dsl/processors/kstream_filter.ts";
import { KStreamFlatMapValues } from "../lib/dsl/processors/kstream_flat_map.ts";
import {
  KStreamMap,
  KStreamMapValues,
  KStreamSelectKey,
} from "../lib/dsl/processors/kstream_map.ts";
import { KStreamPeek } from "../lib/dsl/processors/kstream_peek.ts";
import type { Topology } from "../lib/topology/topology.ts";
import { LONGS, longs, type OperatorCase, source } from "./operator_inputs.ts";

function chainOfFive(): Topology {
  const keep = new KStreamFilter<string, number>({ predicate: (v) => v >= 0 });
  const drop = new KStreamFilter<string, number>({ predicate: (v) => v < 0, not: true });
  const plus = new KStreamMapValues<string, number, number>({ mapper: (v) => v + 1 });
  const times = new KStreamMapValues<string, number, number>({ mapper: (v) => v * 2 });
  return source()
    .addProcessor("1", keep, "in")
    .addProcessor("2", plus, "1")
    .addProcessor("3", new KStreamPeek<string, number>({ action: () => {} }), "2")
    .addProcessor("4", drop, "3")
    .addProcessor("5", times, "4");
}

function mapToObjects(): Topology {
  const map = new KStreamMap<string, number, string, { n: number }>({
    mapper: (v, k) => [k, { n: v }],
  });
  return source().addProcessor("map", map, "in");
}

function rekeyAndFlatten(): Topology {
  const select = new KStreamSelectKey<string, number, number>({ mapper: (v) => v });
  const flatten = new KStreamFlatMapValues<number, number, number>({ mapper: (v) => [v, v] });
  return source().addProcessor("1", select, "in").addProcessor("2", flatten, "1");
}

function toSink(): Topology {
  const plus = new KStreamMapValues<string, number, number>({ mapper: (v) => v + 1 });
  return source().addProcessor("1", plus, "in").addSink("out", "out", LONGS, "1");
}

const inputs = (records: number) => [longs("in", records)];

/** Operators without state. */
export const STATELESS: readonly OperatorCase[] = [
  {
    name: "source only",
    topology: () => source().addProcessor("peek", new KStreamPeek({ action: () => {} }), "in"),
    inputs,
  },
  { name: "chain of five stateless operators", topology: chainOfFive, inputs },
  { name: "map to objects", topology: mapToObjects, inputs },
  { name: "selectKey, flatMapValues", topology: rekeyAndFlatten, inputs },
  { name: "mapValues to a sink", topology: toSink, inputs },
];
