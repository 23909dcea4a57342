import type { TopicPartition } from "../kafka/client.ts";
import type { TaskId } from "../record/task_id.ts";
import type { Clock } from "../record/time.ts";
import type {
  CacheBudget,
  DropReason,
  StateEnvironment,
  StateStore,
  StoreMeter,
} from "../state/store.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { SubtopologyPlan } from "../topology/compile.ts";
import type { FetchState } from "./partition_group.ts";
import type { RecordCollector } from "./record_collector.ts";
import type { StreamTask } from "./task.ts";
import type { TaskSettings } from "./task_context.ts";

/** What a task is made of. */
export interface TaskOptions {
  readonly id: TaskId;
  readonly plan: SubtopologyPlan;
  /** The partitions it reads: one of each source topic. */
  readonly inputPartitions: readonly TopicPartition[];
  readonly settings: TaskSettings;
  readonly collector: RecordCollector;
  readonly environment: StateEnvironment;
  readonly stateDir: string;
  readonly cache: CacheBudget | undefined;
  readonly clock: Clock;
  /** Asked for partitions whose queue is empty; without it a task never waits for one. */
  readonly fetchState?: FetchState;
  /** Global stores by name. */
  readonly globalStores?: ReadonlyMap<string, StateStore>;
  /** Told of every drop, for metrics and logs. */
  readonly onDropped?: (reason: DropReason, task: StreamTask, detail: string | undefined) => void;
  /** Makes a span of each record; absent without an SDK. */
  readonly tracing?: Tracing | undefined;
  /** The counters of a store, for its metrics. */
  readonly storeMeter?: (storeName: string, persistent: boolean) => StoreMeter;
}

/** What a task wants committed for a partition. */
export interface CommittableOffset extends TopicPartition {
  /** The first record that waits; undefined when none does: then the consumer's position counts. */
  readonly offset: number | undefined;
  /** For the offset's metadata. */
  readonly partitionTime: number;
}
