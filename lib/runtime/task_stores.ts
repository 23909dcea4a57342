import { ProcessorStateException, StreamsException, TopologyException } from "../errors.ts";
import { Headers } from "../record/headers.ts";
import type {
  ChangelogWriter,
  RestoreRows,
  StateStore,
  StoreContext,
  StoreMeter,
} from "../state/store.ts";
import { changelogTopicName } from "../topology/compile.ts";
import { parseTaskId } from "../record/task_id.ts";
import { FailedProcessingError } from "./processor_node.ts";
import type { TaskContext } from "./task_context.ts";
import type { TaskOptions } from "./task_options.ts";

/** A changelog of a task. */
export interface Changelog {
  readonly store: string;
  readonly topic: string;
  readonly partition: number;
  /** A source topic that serves as changelog: it is read up to the committed offset only, and never written. */
  readonly isSource: boolean;
}

/** The stores of a task: opened in the plan's order, flushed in it, closed in it. Kafka Streams: `ProcessorStateManager`. */
export class TaskStores {
  readonly byName: Map<string, StateStore> = new Map();
  readonly changelogs: readonly Changelog[];
  /** Whether a store is on disk that no changelog could fill again. Known once they are open. */
  hasUnlogged = false;
  readonly #options: TaskOptions;
  readonly #task: TaskContext;
  readonly #partition: number;
  readonly #meters = new Map<string, StoreMeter>();

  constructor(options: TaskOptions, task: TaskContext) {
    this.#options = options;
    this.#task = task;
    this.#partition = parseTaskId(options.id).partition;
    this.changelogs = options.plan.stores.flatMap(({ name, changelogTopic, changelogIsSource }) =>
      changelogTopic === undefined ? [] : [{
        store: name,
        topic: changelogTopic,
        partition: this.#partition,
        isSource: changelogIsSource,
      }]
    );
  }

  open(): void {
    for (const { name, builder, changelogTopic } of this.#options.plan.stores) {
      const store = builder.build();
      this.byName.set(name, store);
      store.init(this.#context(store));
      if (store.persistent && changelogTopic === undefined) this.hasUnlogged = true;
    }
  }

  #context(store: StateStore): StoreContext {
    const { environment, cache, settings, storeMeter } = this.#options;
    const task = this.#task;
    const meter = storeMeter?.(store.name, store.persistent);
    if (meter !== undefined) this.#meters.set(store.name, meter);
    return {
      applicationId: settings.applicationId,
      taskId: task.taskId,
      partition: this.#partition,
      environment,
      record: task.record,
      cache,
      changelog: (store) => this.#writer(store),
      changelogTopic: (store) =>
        this.#plan(store)?.changelogTopic ?? changelogTopicName(settings.applicationId, store),
      streamTime: () => task.streamTime(),
      dropped: (reason) => task.dropped(reason),
      storeMetrics: meter,
    };
  }

  #plan(store: string) {
    return this.#options.plan.stores.find((s) => s.name === store);
  }

  #writer(store: string): ChangelogWriter | undefined {
    const plan = this.#plan(store);
    if (plan?.changelogTopic === undefined || plan.changelogIsSource) return undefined;
    const { collector } = this.#options;
    const destination = collector.destination(plan.changelogTopic);
    const partition = this.#partition;
    return {
      log(key, value, timestamp, headers = Headers.EMPTY, valueStart = 0) {
        collector.log(destination, partition, key, value, timestamp, headers, valueStart);
      },
    };
  }

  restore(store: string, rows: RestoreRows, from: number, to: number): void {
    this.byName.get(store)!.restore(rows, from, to);
  }

  /**
   * Empties the caches, in the order of the plan: what one forwards may dirty another downstream. Where one fails the others are still
   * emptied, as in Kafka Streams, and the first failure is thrown.
   * @throws {ProcessorStateException} when what a cache forwards cannot be processed
   */
  flush(): void {
    let first: unknown;
    const { clock } = this.#options;
    for (const store of this.byName.values()) {
      const began = clock.monotonic();
      try {
        store.flush();
      } catch (error) {
        first ??= flushFailure(error, store.name);
      }
      this.#meters.get(store.name)?.flushed?.(clock.monotonic() - began);
    }
    if (first !== undefined) throw first;
  }

  close(): void {
    let first: unknown;
    for (const store of this.byName.values()) {
      try {
        if (store.isOpen) store.close();
      } catch (error) {
        first ??= error;
      }
    }
    if (first !== undefined) throw first;
  }

  /** The store as a processor may have it. @throws {TopologyException} when it is not connected. */
  forProcessor(name: string, processorName: string, connected: readonly string[]): StateStore {
    const global = this.#options.globalStores?.get(name);
    if (global !== undefined) return global;
    const store = this.byName.get(name);
    if (store === undefined || !connected.includes(name)) {
      throw new TopologyException(
        `Processor ${processorName} has no access to StateStore ${name} as the store is not connected to the processor. ` +
          "If you add stores manually via '.addStateStore()' make sure to connect the added store to the processor " +
          "by providing the processor name to '.addStateStore()' or connect them via '.connectProcessorAndStateStores()'. " +
          "DSL users need to provide the store name to '.process()', '.processValues()', or '.transformValues()' to connect the store to the corresponding operator",
      );
    }
    return store;
  }
}

/** An error of the engine's own stays as it is; one of a processor downstream is told as the store's. */
function flushFailure(error: unknown, store: string): unknown {
  if (error instanceof StreamsException) return error;
  const cause = error instanceof FailedProcessingError ? error.cause : error;
  return new ProcessorStateException(`Failed to flush cache of store ${store}`, { cause });
}
