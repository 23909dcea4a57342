/**
 * Joins of streams with tables and global tables.
 *
 * @module
 */
import type { Serde } from "../serde/serde.ts";
import { graceBufferBuilder } from "../state/buffers.ts";
import type { StoreBuilder } from "../state/store.ts";
import type { Topology } from "../topology/topology.ts";
import type { GlobalKTable } from "./global_ktable.ts";
import { type GraphNode, processorNode, type WriteChoices } from "./graph.ts";
import { noteGeneratedStore } from "./materialized.ts";
import { checkName, PREFIX } from "./naming.ts";
import type { Plan } from "./plan.ts";
import type { KeyMapper, ValueJoiner } from "./processors/functions.ts";
import { KStreamGlobalKTableJoin, KStreamKTableJoin } from "./processors/kstream_ktable_join.ts";
import type { StreamHandle } from "./stream_handle.ts";
import type { KeyNeed, ValueNeed } from "./stream_state.ts";
import type { TableHandle } from "./table_handle.ts";

/** How a stream is joined with a table. Kafka Streams: `Joined`. */
export type TableJoinedWith<State, K, V> =
  & {
    readonly name?: string;
    /** How long (ms) records are held back for a versioned table to catch up (KIP-923). */
    readonly grace?: number;
  }
  & ("placed" extends State ? { readonly key?: Serde<K>; readonly value?: Serde<NonNullable<V>> }
    : KeyNeed<State, K> & ValueNeed<State, V>);

/**
 * Joins each record with its key's row. Kafka Streams: `KStreamImpl.doStreamTableJoin`.
 *
 * @throws {TopologyException} when a serde is needed and not known
 * @throws {RangeError} when a grace is given and the table is not versioned, or keeps versions for a shorter time
 */
export function joinTable(
  stream: StreamHandle,
  table: TableHandle,
  joiner: ValueJoiner<any, any, any, any>,
  left: boolean,
  options: TableJoinedWith<"placed", any, any>,
): StreamHandle {
  const { plan } = stream;
  const { name: given, key, value, grace } = options;
  if (given !== undefined) checkName(given);
  const placed = stream.repartitionRequired
    ? stream.repartitionForJoin(given ?? stream.name, { key, value, isNamed: given !== undefined })
    : stream;
  const sources = plan.copartition(placed.sources, table.sources);
  const name = plan.nameOr(given, left ? PREFIX.leftJoin : PREFIX.join);
  const buffer = grace === undefined ? undefined : graceBuffer(placed, table, name, options);
  const view = table.valueGetterSupplier();
  const supplier = new KStreamKTableJoin<any, any, any, any>({ table: view, joiner, left, buffer });
  const node = tableJoinNode(plan, {
    name,
    joined: processorNode(name, supplier),
    storeNames: view.storeNames(),
    grace,
    left,
  });
  plan.add(node, placed.node);
  return placed.with({
    name,
    node,
    sources,
    key: key ?? placed.key,
    value: undefined,
    repartitionRequired: false,
  });
}

function graceBuffer(
  stream: StreamHandle,
  table: TableHandle,
  name: string,
  options: TableJoinedWith<"placed", any, any>,
): StoreBuilder {
  const { plan } = stream;
  const grace = options.grace!;
  if (!(grace >= 0)) {
    throw new RangeError(
      `Cannot join with a grace as it must not be negative: current value is ${grace}`,
    );
  }
  if (table.node.traits.versioned === false) refuseGrace(table.name);
  const storeName = `${name}-Buffer`;
  if (options.name === undefined) noteGeneratedStore(plan, storeName, true);
  const key = plan.keySerde(options.key ?? stream.key, name);
  const value = plan.valueSerde(options.value ?? stream.value, name);
  return graceBufferBuilder(storeName, { key, value, graceMs: grace, engine: plan.bufferEngine });
}

function refuseGrace(table: string): never {
  throw new RangeError(
    `Cannot join with a grace as the table must keep versions: current value is ${table} without a versioned store. Give it { store: persistentVersionedKeyValueStore(…) }`,
  );
}

/** Kafka Streams: `StreamTableJoinNode`. */
function tableJoinNode(
  plan: Plan,
  parts: {
    readonly name: string;
    readonly joined: GraphNode;
    readonly storeNames: readonly string[];
    readonly grace: number | undefined;
    readonly left: boolean;
  },
): GraphNode {
  const { name, joined, storeNames, grace, left } = parts;
  return Object.freeze({
    name,
    traits: { acceptsNullKeys: left },
    write(topology: Topology, choices: WriteChoices) {
      joined.write(topology, choices);
      if (storeNames.length > 0) topology.connectProcessorAndStateStores(name, ...storeNames);
      if (grace === undefined) return;
      for (const store of storeNames) {
        const retention = plan.historyRetention(store);
        if (retention === undefined) refuseGrace(store);
        if (grace > retention) {
          throw new RangeError(
            `Cannot join with a grace of ${grace} ms as the table must keep versions for at least that long: current value is ${retention} ms in ${store}`,
          );
        }
      }
    },
  });
}

/** Joins each record with the global table's row of the key that a mapper gives. Kafka Streams: `KStreamImpl.doGlobalTableJoin`. */
export function joinGlobalTable(
  stream: StreamHandle,
  table: GlobalKTable<any, any>,
  join: {
    readonly keyMapper: KeyMapper<any, any, any>;
    readonly joiner: ValueJoiner<any, any, any, any>;
    readonly options: { readonly name?: string };
    readonly left: boolean;
  },
): StreamHandle {
  const { keyMapper, joiner, options, left } = join;
  const name = stream.plan.nameOr(options.name, PREFIX.leftJoin);
  const supplier = new KStreamGlobalKTableJoin<any, any, any, any, any>({
    table: table.view,
    keyMapper,
    joiner,
    left,
  });
  return stream.step(name, supplier, {
    traits: { acceptsNullKeys: left },
    changes: { value: undefined },
  });
}
