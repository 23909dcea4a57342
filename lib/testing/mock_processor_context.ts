import { TopologyException } from "../errors.ts";
import { RecordContext, type RecordMetadata } from "../record/context.ts";
import type { StreamRecord } from "../record/record.ts";
import { parseTaskId } from "../record/task_id.ts";
import type { Serde } from "../serde/serde.ts";
import { MemoryEnvironment } from "../state/memory_environment.ts";
import type { DropReason, StateStore, StoreBuilder, StoreContext } from "../state/store.ts";
import { changelogTopicName } from "../topology/compile.ts";
import type {
  Cancellable,
  FixedKeyProcessorContext,
  FixedKeyRecord,
  ProcessorContext,
  PunctuationType,
} from "../topology/processor.ts";

/** What a mock context says of its task. */
export interface MockContextOptions {
  /** Default: `mock-application`. */
  readonly applicationId?: string;
  /** Default: `0_0`. */
  readonly taskId?: string;
  readonly processorName?: string;
  readonly stateDir?: string;
  /** What `appConfigs()` and `setting()` give. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly keySerde?: Serde<unknown>;
  readonly valueSerde?: Serde<unknown>;
}

/** A record that was forwarded. Kafka Streams: `MockProcessorContext.CapturedForward`. */
export interface CapturedForward<K, V> {
  readonly record: StreamRecord<K, V>;
  /** The child it was forwarded to; undefined: all. */
  readonly childName: string | undefined;
}

/** A schedule that was asked for; the test calls it. Kafka Streams: `MockProcessorContext.CapturedPunctuator`. */
export interface CapturedPunctuator {
  readonly intervalMs: number;
  readonly type: PunctuationType;
  readonly startTimeMs: number | undefined;
  readonly callback: (timestamp: number) => void;
  readonly isCancelled: boolean;
}

/**
 * A processor's context for a test of the processor alone: it keeps what is forwarded, scheduled and committed, and holds stores in memory.
 * Kafka Streams: `MockProcessorContext` (of `processor.api`).
 *
 * ```ts
 * const context = new MockProcessorContext<string, number>();
 * context.addStateStore(counts);
 * const processor = new Counter();
 * processor.init(context);
 * processor.process(new StreamRecord("a", "x", 0));
 * context.forwarded; // [{ record, childName: undefined }]
 * ```
 */
export class MockProcessorContext<K = any, V = any>
  implements ProcessorContext<K, V>, FixedKeyProcessorContext<K, V> {
  readonly applicationId: string;
  readonly taskId: string;
  readonly processorName: string;
  readonly stateDir: string;
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #record = new RecordContext();
  readonly #environment = new MemoryEnvironment();
  readonly #stores = new Map<string, StateStore>();
  readonly #metadata = new Map<string, number>();
  readonly #drops: { readonly reason: DropReason; readonly detail: string | undefined }[] = [];
  #forwarded: CapturedForward<K, V>[] = [];
  #punctuators: CapturedPunctuator[] = [];
  #committed = false;
  #streamTime = -1;
  #systemTime = 0;
  #pausedUntil = 0;

  constructor(options: MockContextOptions = {}) {
    this.applicationId = options.applicationId ?? "mock-application";
    this.taskId = options.taskId ?? "0_0";
    this.processorName = options.processorName ?? "mock-processor";
    this.stateDir = options.stateDir ?? "";
    this.keySerde = options.keySerde;
    this.valueSerde = options.valueSerde;
    this.#config = options.config ?? {};
  }

  /** All that was forwarded, in order. */
  get forwarded(): readonly CapturedForward<K, V>[] {
    return this.#forwarded;
  }
  /** What reaches a child: what was forwarded to it, and to all. */
  forwardedTo(childName: string): readonly CapturedForward<K, V>[] {
    return this.#forwarded.filter((f) => f.childName === undefined || f.childName === childName);
  }
  /** Forgets what was forwarded. */
  resetForwards(): void {
    this.#forwarded = [];
  }
  /** The schedules that were asked for, cancelled ones included. */
  get scheduledPunctuators(): readonly CapturedPunctuator[] {
    return this.#punctuators;
  }
  /** Whether a commit was asked for. */
  get committed(): boolean {
    return this.#committed;
  }
  resetCommit(): void {
    this.#committed = false;
  }
  /** The records that the processor counted as dropped. */
  get drops(): readonly { readonly reason: DropReason; readonly detail: string | undefined }[] {
    return this.#drops;
  }
  /** Until when (epoch ms) the sources are held; 0 when they are not. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Sets where the record in hand came from; undefined as in `init`, without a record. */
  setRecordMetadata(metadata: RecordMetadata | undefined): void {
    this.#record.topic = metadata?.topic;
    this.#record.partition = metadata?.partition ?? -1;
    this.#record.offset = metadata?.offset ?? -1;
  }
  setCurrentSystemTimeMs(now: number): void {
    this.#systemTime = now;
  }
  setCurrentStreamTimeMs(time: number): void {
    this.#streamTime = time;
  }

  /** Makes a store in memory where it can be, without a changelog; gives it, open. Takes a store of the user's own, too. */
  addStateStore<S extends StateStore>(store: StoreBuilder<S> | S): S {
    const made = "build" in store ? store.withLoggingDisabled().build() : store;
    made.init(this.#storeContext());
    this.#stores.set(made.name, made);
    return made;
  }

  #storeContext(): StoreContext {
    return {
      applicationId: this.applicationId,
      taskId: this.taskId,
      partition: parseTaskId(this.taskId).partition,
      environment: this.#environment,
      record: this.#record,
      cache: undefined,
      changelog: () => undefined,
      changelogTopic: (store) => changelogTopicName(this.applicationId, store),
      streamTime: () => this.#streamTime,
      dropped: (reason) => this.dropped(reason),
    };
  }

  /** @throws {TopologyException} when the store was not added */
  getStateStore<S extends StateStore>(name: string): S {
    const store = this.#stores.get(name);
    if (store === undefined) {
      throw new TopologyException(
        `Cannot get the store ${name} as it was not added to the mock context: current value is [${
          [...this.#stores.keys()].join(", ")
        }]. Call addStateStore before init`,
      );
    }
    return store as S;
  }
  forward(record: StreamRecord<K, V> | FixedKeyRecord<K, V>, childName?: string): void {
    this.#forwarded.push({ record: record as StreamRecord<K, V>, childName });
  }
  schedule(
    intervalMs: number,
    type: PunctuationType,
    callback: (timestamp: number) => void,
    startTimeMs?: number,
  ): Cancellable {
    const punctuator = { intervalMs, type, startTimeMs, callback, isCancelled: false };
    this.#punctuators.push(punctuator);
    return { cancel: () => void (punctuator.isCancelled = true) };
  }
  commit(): void {
    this.#committed = true;
  }
  recordMetadata(): RecordMetadata | undefined {
    const { topic, partition, offset } = this.#record;
    return topic === undefined ? undefined : { topic, partition, offset };
  }
  currentStreamTimeMs(): number {
    return this.#streamTime;
  }
  currentSystemTimeMs(): number {
    return this.#systemTime;
  }
  appConfigs(): Readonly<Record<string, unknown>> {
    return this.#config;
  }
  dropped(reason: DropReason, detail?: string): void {
    this.#drops.push({ reason, detail });
  }
  setting(key: string): number | string | boolean | undefined {
    return this.#config[key] as number | string | boolean | undefined;
  }
  processorMetadata(key: string): number | undefined {
    return this.#metadata.get(key);
  }
  setProcessorMetadata(key: string, value: number): void {
    this.#metadata.set(key, value);
  }
  pauseSources(untilMs: number): void {
    if (untilMs > this.#pausedUntil) this.#pausedUntil = untilMs;
  }
}
