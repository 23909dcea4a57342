import type { RecordMetadata } from "../../record/context.ts";
import type { Serde } from "../../serde/serde.ts";
import type { DropReason, StateStore } from "../../state/store.ts";
import type { Cancellable, ProcessingContext, PunctuationType } from "../../topology/processor.ts";

/** A context that hands everything on to another one: for those that differ from it in one thing. */
export class ContextDelegate<C extends ProcessingContext> implements ProcessingContext {
  protected readonly inner: C;
  constructor(inner: C) {
    this.inner = inner;
  }
  get applicationId(): string {
    return this.inner.applicationId;
  }
  get taskId(): string {
    return this.inner.taskId;
  }
  get processorName(): string {
    return this.inner.processorName;
  }
  get stateDir(): string {
    return this.inner.stateDir;
  }
  get keySerde(): Serde<unknown> | undefined {
    return this.inner.keySerde;
  }
  get valueSerde(): Serde<unknown> | undefined {
    return this.inner.valueSerde;
  }
  getStateStore<S extends StateStore>(name: string): S {
    return this.inner.getStateStore<S>(name);
  }
  schedule(
    intervalMs: number,
    type: PunctuationType,
    callback: (timestamp: number) => void,
    startTimeMs?: number,
  ): Cancellable {
    return this.inner.schedule(intervalMs, type, callback, startTimeMs);
  }
  commit(): void {
    this.inner.commit();
  }
  recordMetadata(): RecordMetadata | undefined {
    return this.inner.recordMetadata();
  }
  currentStreamTimeMs(): number {
    return this.inner.currentStreamTimeMs();
  }
  currentSystemTimeMs(): number {
    return this.inner.currentSystemTimeMs();
  }
  appConfigs(): Readonly<Record<string, unknown>> {
    return this.inner.appConfigs();
  }
  dropped(reason: DropReason, detail?: string): void {
    this.inner.dropped(reason, detail);
  }
  setting(key: string): number | string | boolean | undefined {
    return this.inner.setting(key);
  }
  processorMetadata(key: string): number | undefined {
    return this.inner.processorMetadata(key);
  }
  setProcessorMetadata(key: string, value: number): void {
    this.inner.setProcessorMetadata(key, value);
  }
  pauseSources(untilMs: number): void {
    this.inner.pauseSources(untilMs);
  }
}
