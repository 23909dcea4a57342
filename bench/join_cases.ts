import { reverseJoiner } from "../lib/dsl/processors/functions.ts";
import {
  LeftOrRightValueSerde,
  TimestampedKeyAndJoinSideSerde,
} from "../lib/dsl/processors/join_side.ts";
import { KStreamJoinWindow } from "../lib/dsl/processors/kstream_join_window.ts";
import { KStreamKStreamJoin } from "../lib/dsl/processors/kstream_kstream_join.ts";
import { KStreamKTableJoin } from "../lib/dsl/processors/kstream_ktable_join.ts";
import { KTableKTableInnerJoin } from "../lib/dsl/processors/ktable_ktable_join.ts";
import { KTableKTableJoinMerger } from "../lib/dsl/processors/ktable_ktable_join_merger.ts";
import type { ParentTable } from "../lib/dsl/processors/table.ts";
import { TimeTrackerSupplier } from "../lib/dsl/processors/time_tracker.ts";
import { within } from "../lib/dsl/windows.ts";
import type { ConsumedBatch } from "../lib/kafka/client.ts";
import type { StoreBuilder } from "../lib/state/store.ts";
import { listStoreBuilder } from "../lib/state/buffers.ts";
import { windowStoreBuilder } from "../lib/state/stores.ts";
import { inMemoryKeyValueStore, inMemoryWindowStore } from "../lib/state/suppliers.ts";
import { Topology } from "../lib/topology/topology.ts";
import { type OperatorCase, TEXTS, texts } from "./operator_inputs.ts";
import { addTable } from "./table_cases.ts";

const joiner = (left: string | null, right: string | null) => `${left}+${right}`;

function tables(): {
  readonly topology: Topology;
  readonly left: ParentTable<string, string>;
  readonly right: ParentTable<string, string>;
} {
  const topology = new Topology();
  return {
    topology,
    left: addTable(topology, "left", TEXTS, true),
    right: addTable(topology, "right", TEXTS, true),
  };
}

function tableTable(): Topology {
  const { topology, left, right } = tables();
  const here = new KTableKTableInnerJoin<string, string, string, string>({
    thisTable: left,
    otherTable: right,
    joiner,
  });
  const there = new KTableKTableInnerJoin<string, string, string, string>({
    thisTable: right,
    otherTable: left,
    joiner: reverseJoiner(joiner),
  });
  return topology
    .addProcessor("this", here, "left-table")
    .addProcessor("other", there, "right-table")
    .connectProcessorAndStateStores("this", "right")
    .connectProcessorAndStateStores("other", "left")
    .addProcessor(
      "merge",
      new KTableKTableJoinMerger({ left: here, right: there }),
      "this",
      "other",
    );
}

function streamTable(): Topology {
  const { topology, right } = tables();
  const join = new KStreamKTableJoin<string, string, string, string>({
    table: right.valueGetterSupplier(),
    joiner,
    left: true,
  });
  return topology
    .addSource("stream", "stream", TEXTS)
    .addProcessor("join", join, "stream")
    .connectProcessorAndStateStores("join", "right");
}

const WINDOWS = within({ timeDifference: 2_000, grace: 1_000 });

function windowStore(name: string): StoreBuilder {
  const retentionMs = WINDOWS.beforeMs + WINDOWS.afterMs + WINDOWS.graceMs;
  const windowSizeMs = WINDOWS.beforeMs + WINDOWS.afterMs;
  const options = { windowSizeMs, retentionMs, retainDuplicates: true };
  return windowStoreBuilder(inMemoryWindowStore(name, options), TEXTS);
}

function streamStream(outer: boolean): Topology {
  const timeTracker = new TimeTrackerSupplier();
  const [left, right] = [windowStore("left-store"), windowStore("right-store")];
  const shared = {
    windows: WINDOWS,
    timeTracker,
    outer,
    outerStore: outer ? waiting() : undefined,
  };
  const here = new KStreamKStreamJoin<string, string, string, string>({
    ...shared,
    side: "left",
    joiner,
    otherStore: right,
  });
  const there = new KStreamKStreamJoin<string, string, string, string>({
    ...shared,
    side: "right",
    joiner: reverseJoiner(joiner),
    otherStore: left,
  });
  return new Topology()
    .addSource("left", "left", TEXTS)
    .addSource("right", "right", TEXTS)
    .addProcessor("left-window", new KStreamJoinWindow({ store: left }), "left")
    .addProcessor("right-window", new KStreamJoinWindow({ store: right }), "right")
    .addProcessor("this", here, "left-window")
    .addProcessor("other", there, "right-window");
}

/** The list of records that wait for a match. */
function waiting(): StoreBuilder {
  return listStoreBuilder(inMemoryKeyValueStore("waiting"), {
    key: new TimestampedKeyAndJoinSideSerde(TEXTS.key),
    value: new LeftOrRightValueSerde(TEXTS.value, TEXTS.value),
  });
}

function both(left: string, right: string): (records: number) => readonly ConsumedBatch[][] {
  return (records) => [texts(left, records / 2), texts(right, records / 2)];
}

/** Joins. Half of the records are on either side. */
export const JOINS: readonly OperatorCase[] = [
  {
    name: "table-table inner join, cached",
    share: 0.5,
    topology: tableTable,
    inputs: both("left", "right"),
  },
  {
    name: "stream-table left join",
    share: 0.5,
    topology: streamTable,
    inputs: both("stream", "right"),
  },
  {
    name: "stream-stream inner join",
    share: 0.1,
    topology: () => streamStream(false),
    inputs: both("left", "right"),
  },
  {
    name: "stream-stream outer join",
    share: 0.1,
    topology: () => streamStream(true),
    inputs: both("left", "right"),
  },
];
