import type { RecordMetadata } from "../record/context.ts";
import type { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import type { DropReason, StateStore } from "../state/store.ts";
import type { Cancellable, ProcessorContext, PunctuationType } from "../topology/processor.ts";

/** A processor's context with its stores by name. */
export class StoresContext implements ProcessorContext<any, any> {
  readonly #context: ProcessorContext<any, any>;
  readonly stores: any;

  constructor(
    context: ProcessorContext<any, any>,
    stores: Readonly<Record<string, StateStore>>,
  ) {
    this.#context = context;
    this.stores = stores;
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
  forward(record: StreamRecord<any, any>, childName?: string): void {
    this.#context.forward(record, childName);
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
    return this.#context.recordMetadata();
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
