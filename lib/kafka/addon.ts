/**
 * The addon's functions as TypeScript sees them; what each does is said in `native/*.c`.
 *
 * @module
 */
import type { PartitionOffset, TopicPartition } from "./client.ts";

/** A client on the addon's side. */
export type Handle = { readonly __kafkaClient: never };

/** A partition as the addon takes it; a missing offset is the committed one. */
export type AddonPartition = TopicPartition & {
  readonly offset?: number;
  readonly metadata?: string;
};

/** Makes the KafkaError of an answer. */
export type MakeError = (
  action: string,
  code: number,
  codeName: string,
  text: string,
  retriable: boolean,
  fatal: boolean,
  abortable: boolean,
) => Error;

type NewClient = (
  settings: string[],
  onWake: () => void,
  withStats: boolean,
  withTokens: boolean,
) => Handle;

/** All functions of the addon. */
export interface Addon {
  readonly version: string;
  takeTold(client: Handle): (number | string)[] | undefined;
  takeFault(client: Handle): Error | undefined;
  setToken(
    client: Handle,
    token: string | undefined,
    lifetimeMs: number,
    principalOrReason: string,
  ): void;

  consumerNew: NewClient;
  subscribe(client: Handle, topics: readonly string[]): void;
  assign(client: Handle, partitions: readonly AddonPartition[], how: 0 | 1 | 2): void;
  takeRebalance(client: Handle):
    | { kind: "assign" | "revoke" | "lost"; partitions: TopicPartition[]; incremental: boolean }
    | undefined;
  completeRebalance(client: Handle, startAt: readonly PartitionOffset[]): void;
  slots(client: Handle): TopicPartition[];
  hold(client: Handle, partitions: readonly TopicPartition[], held: boolean): void;
  takeEnds(client: Handle): PartitionOffset[] | undefined;
  takeGone(client: Handle): PartitionOffset[] | undefined;
  consumerPoll(
    client: Handle,
    slab: Uint8Array,
    columns: ArrayBuffer,
    capacity: number,
    wanted: number,
    runs: Int32Array,
  ): number;
  closeConsumer(client: Handle): Promise<void>;
  committed(
    client: Handle,
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<PartitionOffset[]>;
  commit(
    client: Handle,
    offsets: readonly PartitionOffset[],
    timeoutMs: number,
  ): Promise<void>;
  offsetsForTimes(
    client: Handle,
    partitions: readonly PartitionOffset[],
    timeoutMs: number,
  ): Promise<PartitionOffset[]>;
  queryWatermarks(
    client: Handle,
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<{ low: number; high: number }>;
  seek(client: Handle, partitions: readonly PartitionOffset[], timeoutMs: number): Promise<void>;
  seekDone(client: Handle, partitions: readonly TopicPartition[]): void;
  position(client: Handle, topic: string, partition: number): number;
  cachedWatermarks(
    client: Handle,
    topic: string,
    partition: number,
  ): { low: number; high: number };
  armConsumer(client: Handle): boolean;
  groupMetadata(client: Handle): unknown;
  memberId(client: Handle): string | undefined;

  producerNew: NewClient;
  topicNumber(client: Handle, topic: string): number;
  produce(
    client: Handle,
    slab: Uint8Array,
    slabLength: number,
    from: number,
    count: number,
    topics: Int32Array,
    partitions: Int32Array,
    timestamps: Float64Array,
    keyStarts: Int32Array,
    keyLengths: Int32Array,
    valueStarts: Int32Array,
    valueLengths: Int32Array,
    headerStarts: Int32Array,
    headerLengths: Int32Array,
    tags: Int32Array,
  ): number;
  serveProducer(client: Handle): number;
  armProducer(client: Handle): boolean;
  takeFailures(client: Handle): unknown[] | undefined;
  takeDelivered(client: Handle): PartitionOffset[];
  queued(client: Handle): number;
  flush(client: Handle, timeoutMs: number): Promise<void>;
  initTransactions(client: Handle, timeoutMs: number): Promise<void>;
  beginTransaction(client: Handle): void;
  sendOffsets(
    client: Handle,
    offsets: readonly PartitionOffset[],
    group: unknown,
    timeoutMs: number,
  ): Promise<void>;
  commitTransaction(client: Handle, timeoutMs: number): Promise<void>;
  abortTransaction(client: Handle, timeoutMs: number): Promise<void>;
  partitionCount(client: Handle, topicNumber: number, timeoutMs: number): Promise<number>;
  purge(client: Handle): void;
  closeProducer(client: Handle): Promise<void>;

  createTopics(
    client: Handle,
    topics: readonly [string, number, number, readonly string[]][],
    timeoutMs: number,
  ): Promise<(Error | undefined)[]>;
  deleteTopics(
    client: Handle,
    topics: readonly string[],
    timeoutMs: number,
  ): Promise<(Error | undefined)[]>;
  describeTopics(
    client: Handle,
    topics: readonly string[],
    timeoutMs: number,
  ): Promise<{ topic: string; partitions: number; replicas: number }[]>;
  listTopics(
    client: Handle,
    none: readonly string[],
    timeoutMs: number,
  ): Promise<{ topic: string; partitions: number; replicas: number }[]>;
  topicConfig(client: Handle, topic: readonly string[], timeoutMs: number): Promise<string[]>;
  deleteRecords(
    client: Handle,
    before: readonly PartitionOffset[],
    timeoutMs: number,
  ): Promise<void>;
  listOffsets(
    client: Handle,
    partitions: readonly TopicPartition[],
    timeoutMs: number,
    which: number,
    readCommitted: boolean,
  ): Promise<PartitionOffset[]>;
  listGroups(client: Handle, none: readonly string[], timeoutMs: number): Promise<string[]>;
  describeGroups(
    client: Handle,
    groups: readonly string[],
    timeoutMs: number,
  ): Promise<AddonGroup[]>;
  deleteGroups(
    client: Handle,
    groups: readonly string[],
    timeoutMs: number,
  ): Promise<(Error | undefined)[]>;
  groupOffsets(
    client: Handle,
    group: readonly string[],
    timeoutMs: number,
  ): Promise<PartitionOffset[]>;
  alterGroupOffsets(
    client: Handle,
    group: string,
    offsets: readonly PartitionOffset[],
    timeoutMs: number,
  ): Promise<void>;

  mockNew(brokers: number, defaultPartitions: number): string;
  mockClose(bootstrap: string): boolean;
  mockCreateTopic(
    bootstrap: string,
    topic: string,
    partitions: number,
    replicationFactor: number,
  ): void;
  mockDeleteTopic(bootstrap: string, topic: string): void;
  mockDeleteRecords(bootstrap: string, topic: string, partition: number, before: number): void;
  mockSetConfig(bootstrap: string, topic: string, json: string): void;
  mockConfig(bootstrap: string, topic: string): string | undefined;
  mockSetRoundTrip(bootstrap: string, broker: number, ms: number): void;
  mockFailNext(bootstrap: string, apiKey: number, codes: readonly number[]): void;
  mockSetBroker(bootstrap: string, broker: number, up: boolean): void;
}

/** A group as the addon describes it. */
export interface AddonGroup {
  readonly groupId: string;
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly instanceId: string | undefined;
    readonly clientId: string;
    readonly host: string;
    readonly partitions: readonly TopicPartition[];
  }[];
}
