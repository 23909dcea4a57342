import { StreamsException } from "../../errors.ts";
import type { RecordMetadata } from "../../record/context.ts";
import type { Serde } from "../../serde/serde.ts";
import type { DropReason, StateStore } from "../../state/store.ts";
import type { Cancellable, ProcessingContext, PunctuationType } from "../../topology/processor.ts";

/**
 * The context of a table's transformer: everything but forwarding, which would break the row's one value.
 * Kafka Streams: `ForwardingDisabledProcessorContext`.
 */
export class LookupContext implements ProcessingContext {
  readonly #context: ProcessingContext;
  /** While a row is only looked up, there is no record in hand. */
  isLookup = false;
  constructor(context: ProcessingContext) {
    this.#context = context;
  }
  get applicationId(): string {
    return this.#context.applicationId;
  }
  get taskId(): string {
    return this.#context.taskId;
  }
  get processorName(): string {
    return this.#context.processorName;
  }
  get stateDir(): string {
    return this.#context.stateDir;
  }
  get keySerde(): Serde<unknown> | undefined {
    return this.#context.keySerde;
  }
  get valueSerde(): Serde<unknown> | undefined {
    return this.#context.valueSerde;
  }
  /** @throws {StreamsException} always: a transformer gives its one result back */
  forward(): never {
    throw new StreamsException(
      `Cannot forward from ${this.processorName} as a value transformer gives its one result back: current value is a call of forward()`,
    );
  }
  getStateStore<S extends StateStore>(name: string): S {
    return this.#context.getStateStore<S>(name);
  }
  schedule(
    intervalMs: number,
    type: PunctuationType,
    callback: (timestamp: number) => void,
    startTimeMs?: number,
  ): Cancellable {
    return this.#context.schedule(intervalMs, type, callback, startTimeMs);
  }
  commit(): void {
    this.#context.commit();
  }
  recordMetadata(): RecordMetadata | undefined {
    return this.isLookup ? undefined : this.#context.recordMetadata();
  }
  currentStreamTimeMs(): number {
    return this.#context.currentStreamTimeMs();
  }
  currentSystemTimeMs(): number {
    return this.#context.currentSystemTimeMs();
  }
  appConfigs(): Readonly<Record<string, unknown>> {
    return this.#context.appConfigs();
  }
  dropped(reason: DropReason, detail?: string): void {
    this.#context.dropped(reason, detail);
  }
  setting(key: string): number | string | boolean | undefined {
    return this.#context.setting(key);
  }
  processorMetadata(key: string): number | undefined {
    return this.#context.processorMetadata(key);
  }
  setProcessorMetadata(key: string, value: number): void {
    this.#context.setProcessorMetadata(key, value);
  }
  pauseSources(untilMs: number): void {
    this.#context.pauseSources(untilMs);
  }
}
