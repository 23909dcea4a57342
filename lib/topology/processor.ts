/**
 * The Processor API: what a processor is and what it sees. Synchronous throughout: a processor that returns a Promise is
 * refused with `AsyncFunctionError`. Follows Kafka Streams' `processor.api` (KIP-478, KIP-820).
 *
 * @module
 */
import type { Headers } from "../record/headers.ts";
import type { RecordMetadata } from "../record/context.ts";
import type { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import type { DropReason, StateStore, StoreBuilder } from "../state/store.ts";

/** A step of a topology: gets records, forwards others. One object per task. Kafka Streams: `Processor`. */
export interface Processor<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown> {
  /** Called once, with the stores open, before the first record. */
  init?(context: ProcessorContext<KOut, VOut>): void;
  process(record: StreamRecord<KIn, VIn>): void;
  close?(): void;
}

/** A step that cannot change the key. Kafka Streams: `FixedKeyProcessor`. */
export interface FixedKeyProcessor<KIn = unknown, VIn = unknown, VOut = unknown> {
  init?(context: FixedKeyProcessorContext<KIn, VOut>): void;
  process(record: FixedKeyRecord<KIn, VIn>): void;
  close?(): void;
}

/** Makes a processor for each task, and names the stores it needs. Kafka Streams: `ProcessorSupplier`. */
export interface ProcessorSupplier<KIn = unknown, VIn = unknown, KOut = unknown, VOut = unknown> {
  get(): Processor<KIn, VIn, KOut, VOut>;
  /** Stores that are added to the topology and connected to the processor. Kafka Streams: `ConnectedStoreProvider.stores`. */
  stores?(): readonly StoreBuilder[];
}

/** Makes a fixed-key processor for each task. Kafka Streams: `FixedKeyProcessorSupplier`. */
export interface FixedKeyProcessorSupplier<KIn = unknown, VIn = unknown, VOut = unknown> {
  get(): FixedKeyProcessor<KIn, VIn, VOut>;
  stores?(): readonly StoreBuilder[];
}

/** A record whose key stays. Kafka Streams: `FixedKeyRecord`. */
export interface FixedKeyRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: Headers;
  withValue<V2>(value: V2): FixedKeyRecord<K, V2>;
  withTimestamp(timestamp: number): FixedKeyRecord<K, V>;
  withHeaders(headers: Headers): FixedKeyRecord<K, V>;
}

/** When a punctuation is due: by the records' time, or by the clock. Kafka Streams: `PunctuationType`. */
export type PunctuationType = "stream-time" | "wall-clock-time";

/** Stops a schedule; also from within its own callback. */
export interface Cancellable {
  cancel(): void;
}

/** What every processor sees of its task, whatever it forwards. Kafka Streams: `ProcessingContext`. */
export interface ProcessingContext {
  readonly applicationId: string;
  readonly taskId: string;
  /** The name of the processor this context belongs to. */
  readonly processorName: string;
  /** The task's directory. */
  readonly stateDir: string;
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  /**
   * A store that is connected to this processor, or a global one.
   * @throws {TopologyException} when it is not connected
   */
  getStateStore<S extends StateStore>(name: string): S;
  /**
   * Calls back each `intervalMs`. Stream time first fires with the first record, the wall clock after one interval;
   * with `startTimeMs` at that instant and multiples of the interval after it. Missed firings collapse into one.
   */
  schedule(
    intervalMs: number,
    type: PunctuationType,
    callback: (timestamp: number) => void,
    startTimeMs?: number,
  ): Cancellable;
  /** Asks for a commit as soon as possible. */
  commit(): void;
  /** Where the record in hand came from: within a punctuation no topic, partition -1 and offset -1. Undefined when there is no record, as in `init`. */
  recordMetadata(): RecordMetadata | undefined;
  /** The greatest timestamp the task has processed, -1 before the first. */
  currentStreamTimeMs(): number;
  currentSystemTimeMs(): number;
  /** The configuration as given. */
  appConfigs(): Readonly<Record<string, unknown>>;
  /** Counts a record that this processor drops; by choice it also goes to the dead letter queue with that reason. */
  dropped(reason: DropReason, detail?: string): void;
  /** A fast read of an internal setting, such as an emit interval, by its configuration key. */
  setting(key: string): number | string | boolean | undefined;
  /** Numbers that survive a restart in the committed offsets' metadata (KIP-825); keyed by store name. */
  processorMetadata(key: string): number | undefined;
  setProcessorMetadata(key: string, value: number): void;
  /** Tells the task to hold this subtopology's sources until `untilMs` (epoch ms): back-pressure without blocking. */
  pauseSources(untilMs: number): void;
}

/** Kafka Streams: `ProcessorContext`. */
export interface ProcessorContext<KOut = unknown, VOut = unknown> extends ProcessingContext {
  /** Gives the record to all children, or to the one of that name, before it returns. */
  forward(record: StreamRecord<KOut, VOut>, childName?: string): void;
}

/** Kafka Streams: `FixedKeyProcessorContext`. */
export interface FixedKeyProcessorContext<K = unknown, VOut = unknown> extends ProcessingContext {
  forward(record: FixedKeyRecord<K, VOut>, childName?: string): void;
}

/** Chooses the timestamp (epoch ms) of a source record. A negative one drops the record. Kafka Streams: `TimestampExtractor`. */
export type TimestampExtractor = (
  record: {
    readonly key: unknown;
    readonly value: unknown;
    readonly timestamp: number;
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly headers: Headers;
  },
  partitionTime: number,
) => number;

/** Chooses the topic of an outgoing record. Kafka Streams: `TopicNameExtractor`. */
export type TopicNameExtractor<K = unknown, V = unknown> = (
  key: K,
  value: V,
  context: {
    readonly topic: string | undefined;
    readonly partition: number;
    readonly offset: number;
    readonly timestamp: number;
    readonly headers: Headers;
  },
) => string;

/**
 * Chooses partitions: undefined leaves it to the default (murmur2 of the key), an empty list drops the record, several
 * send it to each. Kafka Streams: `StreamPartitioner` (KIP-837).
 */
export type StreamPartitioner<K = unknown, V = unknown> = (
  topic: string,
  key: K,
  value: V,
  partitionCount: number,
) => readonly number[] | undefined;

/** Where reading starts when the group has no offset. Kafka Streams: `AutoOffsetReset`. */
export type AutoOffsetReset = "earliest" | "latest" | "none" | { readonly byDurationMs: number };
