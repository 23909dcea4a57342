/**
 * The door to Kafka, in our words. Records cross it in batches: one slab of bytes and rows of numbers,
 * never one object per record. Two things stand behind it: librdkafka against a real cluster, and against the embedded one.
 *
 * @module
 */
import type { KafkaError } from "../errors.ts";

/** A topic and one of its partitions. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A position in a partition, with the text that was committed beside it. */
export interface PartitionOffset extends TopicPartition {
  /** The next offset to be read; a negative one means that there is none. */
  readonly offset: number;
  readonly metadata?: string;
}

/** Settings by librdkafka's names; Kafka's Java names are translated (`client_config.ts`). */
export type ClientConfig = Readonly<Record<string, string | number | boolean>>;

/**
 * Consumed records. Rows `[from, to)` of a run belong to one partition, in offset order. A length of -1 is null.
 * The slab belongs to the batch until `release()`.
 */
export interface ConsumedBatch {
  readonly slab: Uint8Array;
  readonly count: number;
  readonly runs: readonly PartitionRun[];
  readonly offsets: Float64Array;
  /** Epoch ms; -1 when the record has none. */
  readonly timestamps: Float64Array;
  readonly keyStarts: Int32Array;
  readonly keyLengths: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueLengths: Int32Array;
  /** Headers in the slab (`readHeaders`); length -1 when there are none. */
  readonly headerStarts: Int32Array;
  readonly headerLengths: Int32Array;
  /** Gives the memory back for a later poll; after it nothing of this batch may be read. Optional to call. */
  release(): void;
}

/** The rows of a batch that came from one partition. */
export interface PartitionRun extends TopicPartition {
  readonly from: number;
  readonly to: number;
}

/** What the group wants this member to do. It holds until `completeRebalance` is called with it. */
export interface Rebalance {
  /** `lost`: the partitions have another owner already; nothing may be committed for them. */
  readonly kind: "assign" | "revoke" | "lost";
  readonly partitions: readonly TopicPartition[];
  /** Whether only these partitions change (KIP-848, cooperative) or the whole assignment. */
  readonly incremental: boolean;
}

/** The group membership that fences transactional offset commits (KIP-447). Opaque; valid for one `sendOffsets`. */
export interface GroupMetadata {
  readonly handle: unknown;
}

/** Reads partitions, alone or as a member of a group. All but the promises is synchronous and local. */
export interface Consumer {
  /** Joins the group for these topics; one that begins with `^` is a pattern. */
  subscribe(topics: readonly string[]): void;
  unsubscribe(): void;
  /** Reads exactly these partitions, without a group; an offset of -2 is the beginning, -1 the end. */
  assign(partitions: readonly PartitionOffset[]): void;
  /** Adds to, or takes from, a manual assignment. */
  incrementalAssign(partitions: readonly PartitionOffset[]): void;
  incrementalUnassign(partitions: readonly TopicPartition[]): void;
  assignment(): TopicPartition[];

  /**
   * What has arrived, at most `maxRecords` over all partitions that are not held, without waiting; undefined when nothing has.
   * Takes from the partitions in turn. A batch larger than the slab grows it, up to a limit, and leaves the rest for the next poll.
   * Also serves rebalances, logs and statistics.
   */
  poll(maxRecords: number): ConsumedBatch | undefined;
  /**
   * Resolves when something has arrived (records of a partition not held, a rebalance, an error), or after `timeoutMs`. It may
   * resolve with nothing to poll: a transaction marker moves the position only. What was told and not taken counts once.
   */
  wait(timeoutMs: number): Promise<void>;
  /** The rebalance that waits for an answer, if any; asked for after each poll. */
  takeRebalance(): Rebalance | undefined;
  /** Answers it: takes up or gives up the partitions. `startAt` overrides where reading starts. */
  completeRebalance(rebalance: Rebalance, startAt?: readonly PartitionOffset[]): void;
  /** The next error that no call has reported, if any (all brokers down, a partition's error). */
  takeError(): KafkaError | undefined;
  /** Partitions whose end has been reached since the last call, with that end's offset. */
  takePartitionEnds(): PartitionOffset[];

  /**
   * Partitions that have no record and no end at the position, since the last call: it was deleted, or never was. They rest until a
   * `seek`. With `auto.offset.reset` "none" only; else the client seeks by itself.
   */
  takeGone(): PartitionOffset[];

  /** Holds partitions back: `poll` gives nothing of them; what is fetched stays fetched. */
  hold(partitions: readonly TopicPartition[]): void;
  /** Lets held partitions flow again. */
  release(partitions: readonly TopicPartition[]): void;
  seek(partition: TopicPartition, offset: number): Promise<void>;
  /** The offset after the last record that `poll` gave (or after the transaction markers behind it), or undefined. */
  position(partition: TopicPartition): number | undefined;
  /** The last known watermarks, without a request; -1 where unknown. `high` is the last stable offset under read_committed. */
  cachedWatermarks(partition: TopicPartition): { low: number; high: number };

  committed(partitions: readonly TopicPartition[], timeoutMs: number): Promise<PartitionOffset[]>;
  commit(offsets: readonly PartitionOffset[]): Promise<void>;
  groupMetadata(): GroupMetadata | undefined;
  /** This member's id in its group, when it has one. */
  memberId(): string | undefined;
  /** Offsets by time (epoch ms); -1 gives the end, -2 the beginning. */
  offsetsForTimes(
    partitions: readonly (TopicPartition & { timestamp: number })[],
    timeoutMs: number,
  ): Promise<PartitionOffset[]>;
  /** Low and high watermarks by request. */
  queryWatermarks(
    partition: TopicPartition,
    timeoutMs: number,
  ): Promise<{ low: number; high: number }>;
  /** Leaves the group (unless the member is static) and frees everything. */
  close(): Promise<void>;
}

/**
 * Records on their way out: one slab and rows of numbers, filled by the caller and handed over whole.
 * `ProduceBatch` (produce_batch.ts) builds it.
 */
export interface ProduceRows {
  readonly slab: Uint8Array;
  /** How many bytes of the slab are in use. */
  readonly slabLength: number;
  readonly count: number;
  /** Index into `topics`. */
  readonly topicIndexes: Int32Array;
  readonly topics: readonly string[];
  /** -1: murmur2 of the key chooses, any partition when the key is null. */
  readonly partitions: Int32Array;
  /** Epoch ms. */
  readonly timestamps: Float64Array;
  readonly keyStarts: Int32Array;
  readonly keyLengths: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueLengths: Int32Array;
  readonly headerStarts: Int32Array;
  readonly headerLengths: Int32Array;
  /** A number of the caller's choice that comes back with a failure. */
  readonly tags: Int32Array;
}

/** A record that was not delivered, with copies of its bytes. */
export interface DeliveryFailure extends TopicPartition {
  readonly error: KafkaError;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Uint8Array | null;
  readonly timestamp: number;
  readonly tag: number;
}

/** Records that a producer holds until they are delivered, unless `queue.buffering.max.messages` says otherwise. */
export const PRODUCER_QUEUE_MESSAGES = 200_000;

/** Writes records, in transactions when it has a transactional id. */
export interface Producer {
  /** Enqueues rows `[from, count)`; gives how many were taken (fewer when the queue is full: wait, then go on from there). */
  produce(rows: ProduceRows, from: number): number;
  /** Resolves when the queue has room again, or after `timeoutMs`. */
  wait(timeoutMs: number): Promise<void>;
  /** Resolves when all that was enqueued is delivered or has failed. Rejects on time-out. */
  flush(timeoutMs: number): Promise<void>;
  /**
   * Failures since the last call; an empty list when all went well. What an aborted transaction or a close dropped is among
   * them, as `_PURGE_QUEUE` and `_PURGE_INFLIGHT`; under a fatal error every failure is fatal.
   */
  takeFailures(): DeliveryFailure[];
  /** The highest offset delivered to each partition since the last call. */
  takeDeliveredOffsets(): PartitionOffset[];
  /** Records enqueued and not yet delivered. */
  queued(): number;
  /** The partition count of a topic, from the cached metadata or by request. */
  partitionCount(topic: string, timeoutMs: number): Promise<number>;

  initTransactions(timeoutMs: number): Promise<void>;
  beginTransaction(): void;
  sendOffsets(
    offsets: readonly PartitionOffset[],
    group: GroupMetadata,
    timeoutMs: number,
  ): Promise<void>;
  commitTransaction(timeoutMs: number): Promise<void>;
  abortTransaction(timeoutMs: number): Promise<void>;
  takeError(): KafkaError | undefined;
  /** Frees everything; what is not flushed is dropped. */
  close(): Promise<void>;
}

/** A topic to be made. `replicationFactor` -1 takes the broker's default. */
export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** A topic as the cluster knows it. */
export interface TopicDescription {
  readonly topic: string;
  /** 0 when the topic does not exist. */
  readonly partitions: number;
  /** Of its least replicated partition; 0 when the topic does not exist, undefined where replication has no meaning. */
  readonly replicas?: number;
}

/** A member of a group with what it reads. */
export interface GroupMember {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly clientId: string;
  readonly host: string;
  readonly partitions: readonly TopicPartition[];
}

/** A group as its coordinator knows it. */
export interface GroupDescription {
  readonly groupId: string;
  /** For example `Stable`, `Empty`, `PreparingRebalance`, `Dead`. */
  readonly state: string;
  readonly members: readonly GroupMember[];
}

/** Changes and describes the cluster. Every call is a request and takes its time-out in ms. */
export interface Admin {
  /** Creates them; one that exists already is reported as a `KafkaError` `TOPIC_ALREADY_EXISTS` in its place. */
  createTopics(topics: readonly NewTopic[], timeoutMs: number): Promise<(KafkaError | undefined)[]>;
  deleteTopics(topics: readonly string[], timeoutMs: number): Promise<(KafkaError | undefined)[]>;
  describeTopics(topics: readonly string[], timeoutMs: number): Promise<TopicDescription[]>;
  listTopics(timeoutMs: number): Promise<TopicDescription[]>;
  topicConfig(topic: string, timeoutMs: number): Promise<Record<string, string>>;
  /** Deletes what lies before these offsets. */
  deleteRecords(before: readonly PartitionOffset[], timeoutMs: number): Promise<void>;
  /** The first (`earliest`) or next (`latest`) offset of each partition; under `readCommitted` the last stable one. */
  listOffsets(
    partitions: readonly TopicPartition[],
    which: "earliest" | "latest",
    timeoutMs: number,
    isolation?: "readCommitted" | "readUncommitted",
  ): Promise<PartitionOffset[]>;
  listGroups(timeoutMs: number): Promise<string[]>;
  describeGroups(groups: readonly string[], timeoutMs: number): Promise<GroupDescription[]>;
  deleteGroups(groups: readonly string[], timeoutMs: number): Promise<(KafkaError | undefined)[]>;
  groupOffsets(group: string, timeoutMs: number): Promise<PartitionOffset[]>;
  alterGroupOffsets(
    group: string,
    offsets: readonly PartitionOffset[],
    timeoutMs: number,
  ): Promise<void>;
  close(): Promise<void>;
}

/** What a client tells about itself, by callback, on the thread of its isolate. */
export interface ClientEvents {
  /** syslog level 0 to 7, librdkafka's facility, text. Secrets never occur in it. */
  log?(level: number, facility: string, message: string): void;
  /** librdkafka's statistics, parsed (STATISTICS.md), each `statistics.interval.ms`. */
  stats?(stats: Record<string, unknown>): void;
  /** Asked for a new OAUTHBEARER token; answered by `setOAuthBearerToken`. */
  oauthBearer?(config: string): Promise<{ token: string; lifetimeMs: number; principal: string }>;
}

/** Makes clients. The runtime gets one of these and knows nothing else of Kafka. */
export interface KafkaClients {
  consumer(config: ClientConfig, events?: ClientEvents): Consumer;
  producer(config: ClientConfig, events?: ClientEvents): Producer;
  admin(config: ClientConfig, events?: ClientEvents): Admin;
}
