import type { RecordContext } from "../record/context.ts";
import type { StreamRecord } from "../record/record.ts";
import type { Clock } from "../record/time.ts";
import type { TaskId } from "../record/task_id.ts";
import type { Serde } from "../serde/serde.ts";
import type { TimestampExtractor } from "../topology/processor.ts";
import type { DropReason, StateStore } from "../state/store.ts";
import type { Cancellable, PunctuationType } from "../topology/processor.ts";
import type { ExceptionHandlers } from "./exception_handlers.ts";
import type { RecordCollector } from "./record_collector.ts";

/** The part of the configuration that tasks use. */
export interface TaskSettings {
  readonly applicationId: string;
  /** `max.task.idle.ms` */
  readonly maxTaskIdleMs: number;
  /** Whether state and output are committed together. */
  readonly exactlyOnce: boolean;
  readonly defaultKeySerde: Serde<any> | undefined;
  readonly defaultValueSerde: Serde<any> | undefined;
  readonly timestampExtractor: TimestampExtractor;
  readonly handlers: ExceptionHandlers;
  /** The configuration as given, for `appConfigs()` and `setting()`. */
  readonly appConfigs: Readonly<Record<string, unknown>>;
}

/** What the nodes of a task see of it. */
export interface TaskContext {
  readonly taskId: TaskId;
  readonly stateDir: string;
  readonly settings: TaskSettings;
  readonly record: RecordContext;
  readonly collector: RecordCollector;
  readonly clock: Clock;
  streamTime(): number;
  store(name: string, processorName: string, connected: readonly string[]): StateStore;
  schedule(
    processorName: string,
    intervalMs: number,
    type: PunctuationType,
    callback: (timestamp: number) => void,
    startTimeMs: number | undefined,
  ): Cancellable;
  requestCommit(): void;
  dropped(reason: DropReason, detail?: string): void;
  /** Asks the processing handler; returns when the record is to be left out, throws otherwise. */
  processingFailed(
    processorName: string,
    record: StreamRecord<any, any> | undefined,
    error: Error,
  ): void;
  processorMetadata: Map<string, number>;
  pauseSources(untilMs: number): void;
}
