import type { Serde } from "../serde/serde.ts";
import { bytes } from "../serde/primitives.ts";
import { timestampedKeyValueStoreBuilder } from "../state/stores.ts";
import type { StreamPartitioner } from "../topology/processor.ts";
import { type GraphNode, processorNode } from "./graph.ts";
import { asksForVersions, type Materialized, storeSpec } from "./materialized.ts";
import { checkName, PREFIX } from "./naming.ts";
import { CombinedKeySchema } from "./processors/foreign_key/combined_key.ts";
import { ForeignTableJoinProcessorSupplier } from "./processors/foreign_key/foreign_table_join.ts";
import { ResponseJoinProcessorSupplier } from "./processors/foreign_key/foreign_table_join.ts";
import { SubscriptionJoinProcessorSupplier } from "./processors/foreign_key/subscription_receive.ts";
import { SubscriptionReceiveProcessorSupplier } from "./processors/foreign_key/subscription_receive.ts";
import {
  type SubscriptionResponseWrapper,
  SubscriptionResponseWrapperSerde,
} from "./processors/foreign_key/subscription_response_wrapper.ts";
import { SubscriptionSendProcessorSupplier } from "./processors/foreign_key/subscription_send.ts";
import { SubscriptionWrapperSerde } from "./processors/foreign_key/subscription_wrapper.ts";
import type { KeyMapper, ValueJoiner } from "./processors/functions.ts";
import { KTableSource } from "./processors/ktable_source.ts";
import { sinkNode } from "./source_nodes.ts";
import { tableStoreBuilder } from "./store_builders.ts";
import { sourceOrigin, TableHandle } from "./table_handle.ts";

/** Chooses one partition for a key; undefined for the default. */
export type KeyPartitioner<K> = (
  key: K,
  topic: string,
  partitionCount: number,
) => number | undefined;

/** How tables are joined by a foreign key. Kafka Streams: `TableJoined`, and the `Materialized` of the result. */
export interface TableJoined<K, RK, Out> extends Materialized<K, Out> {
  /** The join's name: its nodes, internal topics and subscription store begin with it. */
  readonly name?: string;
  /** The serde of the result. */
  readonly value: Serde<Out>;
  /** How this table's topic is partitioned, where not by the default. */
  readonly partitioner?: KeyPartitioner<K>;
  /** How the other table's topic is partitioned, where not by the default. */
  readonly otherPartitioner?: KeyPartitioner<RK>;
}

/** A join by foreign key. */
export interface ForeignKeyJoin {
  readonly kind: "inner" | "left" | "outer";
  readonly foreignKey: KeyMapper<any, any, any>;
  readonly joiner: ValueJoiner<any, any, any, any>;
  readonly options: TableJoined<any, any, any>;
}

/** What the parts of a join share. */
interface Shared {
  readonly left: TableHandle;
  readonly right: TableHandle;
  readonly join: ForeignKeyJoin;
  readonly subscriptionTopic: string;
  readonly key: Serde<any>;
  readonly value: Serde<any>;
  readonly rightKey: Serde<any>;
  readonly rightValue: Serde<any>;
  /** One for topic and store: it knows the pseudo topics' names, and prepares what the join's own steps encode. */
  readonly subscription: Serde<any>;
}

/**
 * Joins each row of the left table with the right table's row that its foreign key names: left rows subscribe at the right table, which
 * answers, and tells subscribers of changes (KIP-213). Kafka Streams: `KTableImpl.doJoinOnForeignKey`.
 *
 * @throws {TopologyException} when a serde is not known
 */
export function joinForeignKey(
  left: TableHandle,
  right: TableHandle,
  join: ForeignKeyJoin,
): TableHandle {
  const { plan } = left;
  const { name } = join.options;
  if (name !== undefined) checkName(name);
  right.enableSendingOldValues(true);
  left.enableSendingOldValues(true);
  const subscriptionTopic = `${
    plan.suffixedOr(name, "-subscription-registration", PREFIX.subscriptionRegistration)
  }-topic`;
  const step = "the join by foreign key";
  const key = plan.keySerde(left.key, step);
  const value = plan.valueSerde(left.value, step);
  const rightKey = plan.keySerde(right.key, `${step}, of the other table,`);
  const shared: Shared = {
    left,
    right,
    join,
    subscriptionTopic,
    key,
    value,
    rightKey,
    rightValue: plan.valueSerde(right.value, `${step}, of the other table,`),
    subscription: new SubscriptionWrapperSerde<any>({
      subscriptionTopic,
      primaryKey: key,
      foreignKey: rightKey,
      leftValue: value,
    }),
  };
  if (name === undefined) plan.noteGenerated(subscriptionTopic);
  const subscriptionSource = planSubscription(shared);
  const responders = planResponders(shared, subscriptionSource);
  return planResponse(shared, responders);
}

/** The left side: rows subscribe. Gives the source of the subscriptions on the right side. */
function planSubscription(shared: Shared): GraphNode {
  const { left, right, join, subscriptionTopic, rightKey, value } = shared;
  const { plan } = left;
  const { name } = join.options;
  const send = new SubscriptionSendProcessorSupplier<any, any, any>({
    foreignKeyExtractor: join.foreignKey,
    subscriptionTopic,
    foreignKey: rightKey,
    leftValue: value,
    leftJoin: join.kind === "left",
  });
  const sendNode = processorNode(
    plan.suffixedOr(
      name,
      "-subscription-registration-processor",
      PREFIX.subscriptionRegistration,
    ),
    send,
    {},
    { useVersionedParent: () => send.useVersionedSemantics(true) },
  );
  plan.add(sendNode, left.node);
  const serdes = { key: rightKey, value: shared.subscription };
  const { otherPartitioner } = join.options;
  const sink = sinkNode(
    plan.suffixedOr(name, "-subscription-registration-sink", PREFIX.tableSink),
    subscriptionTopic,
    {
      ...serdes,
      partitioner: otherPartitioner && byKey(otherPartitioner),
      isInternal: true,
    },
  );
  plan.add(sink, sendNode);
  const source = internalSource(
    plan.suffixedOr(name, "-subscription-registration-source", PREFIX.tableSource),
    subscriptionTopic,
    serdes,
  );
  plan.add(source, sink);
  plan.copartition(right.sources, new Set([source.name]));
  return source;
}

/** The right side: what answers a subscription, and what tells subscribers of a change. */
function planResponders(shared: Shared, subscriptionSource: GraphNode): GraphNode[] {
  const { right, join, subscriptionTopic, key, rightKey } = shared;
  const { plan } = right;
  const { name } = join.options;
  const storeName = plan.suffixedOr(name, "-subscription-store", PREFIX.foreignKeyStore);
  if (name === undefined) {
    plan.noteGenerated(storeName);
    plan.noteGenerated(`${storeName}-changelog`);
  }
  const store = timestampedKeyValueStoreBuilder(
    plan.defaults.stores.keyValueStore({ name: storeName, timestamped: true }),
    { key: bytes(), value: shared.subscription },
  ).withLoggingEnabled().withCachingDisabled();
  const keySchema = new CombinedKeySchema<any, any>({
    subscriptionTopic,
    foreignKey: rightKey,
    primaryKey: key,
  });
  const receiveNode = processorNode(
    plan.suffixedOr(name, "-subscription-receive", PREFIX.subscriptionProcessor),
    new SubscriptionReceiveProcessorSupplier<any, any>({ store, keySchema }),
  );
  plan.add(receiveNode, subscriptionSource);
  const foreignTable = right.valueGetterSupplier();
  const joinNode = processorNode(
    plan.suffixedOr(name, "-subscription-join-foreign", PREFIX.subscriptionProcessor),
    new SubscriptionJoinProcessorSupplier<any, any, any>({ foreignTable }),
    {},
    { storeNames: foreignTable.storeNames() },
  );
  plan.add(joinNode, receiveNode);
  const tell = new ForeignTableJoinProcessorSupplier<any, any, any>({ store, keySchema });
  const tellNode = processorNode(
    plan.suffixedOr(name, "-foreign-join-subscription", PREFIX.subscriptionProcessor),
    tell,
    {},
    { useVersionedParent: () => tell.useVersionedSemantics(true) },
  );
  plan.add(tellNode, right.node);
  return [joinNode, tellNode];
}

/** Back on the left side: answers become rows of the result. */
function planResponse(shared: Shared, responders: readonly GraphNode[]): TableHandle {
  const { left, join, subscriptionTopic, key, value, rightValue } = shared;
  const { plan } = left;
  const { name, partitioner } = join.options;
  const topic = `${
    plan.suffixedOr(name, "-subscription-response", PREFIX.subscriptionResponse)
  }-topic`;
  if (name === undefined) plan.noteGenerated(topic);
  const serdes = { key, value: new SubscriptionResponseWrapperSerde<any>(rightValue) };
  const sink = sinkNode(
    plan.suffixedOr(name, "-subscription-response-sink", PREFIX.tableSink),
    topic,
    {
      ...serdes,
      partitioner: partitioner ? byKey(partitioner) : toPrimaryPartition,
      isInternal: true,
    },
  );
  plan.add(sink, ...responders);
  const source = internalSource(
    plan.suffixedOr(name, "-subscription-response-source", PREFIX.tableSource),
    topic,
    serdes,
  );
  plan.add(source, sink);
  const sources = plan.copartition(left.sources, new Set([source.name]));
  const leftTable = left.valueGetterSupplier();
  const resolver = processorNode(
    plan.suffixedOr(name, "-subscription-response-resolver", PREFIX.subscriptionResolver),
    new ResponseJoinProcessorSupplier<any, any, any, any>({
      leftTable,
      leftValue: value,
      subscriptionTopic,
      joiner: join.joiner,
      leftJoin: join.kind === "left",
    }),
    {},
    { storeNames: leftTable.storeNames() },
  );
  plan.add(resolver, source);
  return planResult(shared, resolver, sources);
}

function planResult(
  { left, join, key }: Shared,
  resolver: GraphNode,
  sources: ReadonlySet<string>,
): TableHandle {
  const { plan } = left;
  const { options } = join;
  const name = plan.suffixedOr(options.name, "-result", PREFIX.foreignKeyOutput);
  const { name: _, ...materialized } = options;
  const spec = storeSpec(
    plan,
    { ...materialized, key: options.key ?? key },
    PREFIX.foreignKeyOutput,
  );
  const table = new KTableSource<any, any>({
    store: tableStoreBuilder(plan, spec),
    materialized: spec.queryableName !== undefined,
  });
  const node = processorNode(name, table, { versioned: asksForVersions(options) });
  plan.add(node, resolver);
  return new TableHandle({
    plan,
    name,
    node,
    sources,
    key,
    value: spec.value,
    queryableName: spec.queryableName,
    origin: sourceOrigin(table),
  });
}

/** A source of one of the join's own topics. */
function internalSource(
  name: string,
  topic: string,
  serdes: { readonly key: Serde<any>; readonly value: Serde<any> },
): GraphNode {
  return Object.freeze(
    {
      name,
      traits: {},
      write: (topology) => void topology.addSource(name, topic, serdes),
    } satisfies GraphNode,
  );
}

function byKey(partitioner: KeyPartitioner<any>): StreamPartitioner<any, any> {
  return (topic, key, _, partitionCount) => {
    const partition = partitioner(key, topic, partitionCount);
    return partition === undefined ? undefined : [partition];
  };
}

/** Answers go back to the partition that asked. */
function toPrimaryPartition(
  _topic: string,
  _key: unknown,
  response: SubscriptionResponseWrapper<any>,
): readonly number[] | undefined {
  return response.primaryPartition === null ? undefined : [response.primaryPartition];
}
