import { isForbidden, StreamsException } from "../errors.ts";
import type {
  Admin,
  ConsumedBatch,
  Consumer,
  KafkaClients,
  PartitionOffset,
  PartitionRun,
} from "../kafka/client.ts";
import { type Clock, nextTurn } from "../record/time.ts";
import type { SerdeEnvironment } from "../serde/serde.ts";
import type { StateStore } from "../state/store.ts";
import { globalAsSubtopology, type GlobalPlan, type TopologyPlan } from "../topology/compile.ts";
import { BatchLease } from "./batch_lease.ts";
import { readOnlyCollector } from "./read_only_collector.ts";
import type { RuntimeLog } from "./runtime_log.ts";
import type { StateHome } from "./streams_host.ts";
import { prepareDeclaredTopics } from "./declared_topics.ts";
import { withPatience } from "./patience.ts";
import { prepareSerdesPatiently } from "./serde_preparation.ts";
import { StreamTask } from "./task.ts";
import { partitionKey } from "./task_assignment.ts";
import type { TaskSettings } from "./task_context.ts";
import type { ThreadSettings } from "./thread_settings.ts";

/** What the global stores are made of. */
export interface GlobalStateOptions {
  /** A topology with global stores. */
  readonly plan: TopologyPlan;
  readonly settings: ThreadSettings;
  readonly taskSettings: TaskSettings;
  readonly clients: KafkaClients;
  readonly serdes: SerdeEnvironment;
  readonly home: StateHome;
  readonly clock: Clock;
  readonly log: RuntimeLog;
}

/** A partition of a global topic on its way into a store. */
interface GlobalInput {
  readonly topic: string;
  readonly partition: number;
  readonly store: string;
  /** The processor is run during the first filling too, instead of copying bytes. */
  readonly reprocess: boolean;
  next: number;
  end: number;
}

const ROWS_PER_POLL = 10_000;

/**
 * The global stores of an instance: each holds a whole topic. They are filled to the topic's end before any thread starts, and followed from then on. No
 * group, no stream time. Kafka Streams: `GlobalStreamThread`, `GlobalStateManagerImpl`.
 */
export class GlobalState {
  readonly #options: GlobalStateOptions;
  readonly #plan: GlobalPlan;
  readonly #inputs = new Map<string, GlobalInput>();
  #task: StreamTask | undefined;
  #consumer: Consumer | undefined;
  #stopped = false;

  constructor(options: GlobalStateOptions) {
    this.#options = options;
    this.#plan = options.plan.global!;
  }

  /** The stores by name, once `open` has resolved. */
  get stores(): ReadonlyMap<string, StateStore> {
    return this.#task?.stores ?? new Map();
  }

  /** Prepares the topology's serdes, opens the stores and fills them to the end of their topics, or until `stop`. */
  async open(): Promise<void> {
    const { clients, settings, home, plan, taskSettings, serdes, clock, log } = this.#options;
    const waiting = { clock, log, stopped: () => this.#stopped };
    await prepareSerdesPatiently(plan, taskSettings, serdes, waiting);
    const admin = clients.admin(settings.adminConfig);
    try {
      await this.#prepareDeclared(admin);
      await this.#findInputs(admin);
      this.#task = this.#createTask(home);
      this.#task.openStores();
      await this.#findPositions(admin);
    } finally {
      await admin.close();
    }
    this.#consumer = clients.consumer(settings.globalConfig);
    this.#consumer.assign(
      [...this.#inputs.values()].map(({ topic, partition, next }) => ({
        topic,
        partition,
        offset: next,
      })),
    );
    this.#task.start();
    while (!this.#stopped && this.#behind(this.#task)) {
      await this.#follow(this.#consumer, this.#task, true);
    }
    this.#checkpoint(this.#task);
  }

  /** Threads prepare the others, but start only when the global stores are full. */
  async #prepareDeclared(admin: Admin): Promise<void> {
    const { plan, settings, clock, log } = this.#options;
    const topics = new Set(this.#plan.stores.map((s) => s.topic));
    await prepareDeclaredTopics(
      new Map([...plan.declaredTopics].filter(([topic]) => topics.has(topic))),
      settings.internalTopics,
      { admin, clock, log, stopped: () => this.#stopped },
    );
  }

  async #findInputs(admin: Admin): Promise<void> {
    const { settings: { requestTimeoutMs, patienceMs }, clock, log } = this.#options;
    const topics = this.#plan.stores.map((s) => s.topic);
    const described = await withPatience(
      "describe the global topics",
      { clock, log, patienceMs },
      () => admin.describeTopics(topics, requestTimeoutMs),
    );
    const counts = new Map(described.map((t) => [t.topic, t.partitions]));
    for (const { topic, builder, reprocessOnRestore } of this.#plan.stores) {
      const count = counts.get(topic) ?? 0;
      if (count === 0) {
        throw new StreamsException(
          `There are no partitions available for topic ${topic} when initializing global store ${builder.name}`,
        );
      }
      for (let partition = 0; partition < count; partition++) {
        const input = {
          topic,
          partition,
          store: builder.name,
          reprocess: reprocessOnRestore,
          next: 0,
          end: 0,
        };
        this.#inputs.set(partitionKey(input), input);
      }
    }
  }

  #createTask(home: StateHome): StreamTask {
    const { taskSettings, clock } = this.#options;
    return new StreamTask({
      id: "0_0",
      plan: globalAsSubtopology(this.#plan),
      inputPartitions: [...this.#inputs.values()].map(({ topic, partition }) => ({
        topic,
        partition,
      })),
      settings: taskSettings,
      collector: readOnlyCollector("a global store's processor"),
      environment: home.openGlobal(),
      stateDir: home.globalDirectory,
      cache: undefined,
      clock,
    });
  }

  async #findPositions(admin: Admin): Promise<void> {
    const { settings: { requestTimeoutMs, exactlyOnce, patienceMs }, clock, log } = this.#options;
    const task = this.#task!;
    const inputs = [...this.#inputs.values()];
    const isolation = exactlyOnce ? "readCommitted" : "readUncommitted";
    const find = () =>
      Promise.all([
        admin.listOffsets(inputs, "earliest", requestTimeoutMs),
        admin.listOffsets(inputs, "latest", requestTimeoutMs, isolation),
      ]);
    const patience = { clock, log, patienceMs };
    const [earliest, latest] = await withPatience("find the ends of global topics", patience, find);
    const first = offsetsByKey(earliest);
    const last = offsetsByKey(latest);
    const known = inputs.map((input) =>
      task.stores.get(input.store)!.persistent
        ? task.committedChangelogOffset(partitionKey(input))
        : undefined
    );
    const covered = inputs.every((input, i) => {
      const position = known[i];
      return position === undefined ||
        position >= first.get(partitionKey(input))! && position <= last.get(partitionKey(input))!;
    });
    if (!covered) task.wipe();
    inputs.forEach((input, i) => {
      const key = partitionKey(input);
      input.next = (covered ? known[i] : undefined) ?? first.get(key) ?? 0;
      input.end = last.get(key) ?? 0;
    });
  }

  #behind(task: StreamTask): boolean {
    if (task.buffered > 0) return true;
    for (const { next, end } of this.#inputs.values()) if (next < end) return true;
    return false;
  }

  /** Follows the topics until `close`. Resolves with the failure, if there is one: the client cannot go on without its global stores. */
  async run(): Promise<Error | undefined> {
    const { clock, settings } = this.#options;
    const task = this.#task!;
    let saved = clock.now();
    try {
      while (!this.#stopped) {
        await this.#follow(this.#consumer!, task, false);
        const now = clock.now();
        if (now - saved <= settings.commitIntervalMs) continue;
        this.#checkpoint(task);
        saved = now;
      }
      return undefined;
    } catch (error) {
      this.#options.log.error("The global stores cannot be followed", { err: error });
      return error as Error;
    }
  }

  async #follow(consumer: Consumer, task: StreamTask, filling: boolean): Promise<void> {
    const batch = consumer.poll(ROWS_PER_POLL);
    if (batch !== undefined) this.#take(batch, task, filling);
    const now = this.#options.clock.now();
    // What waits for a schema is tried again with each round.
    while (task.buffered > 0 && task.processUpTo(ROWS_PER_POLL, now) > 0);
    for (const end of consumer.takePartitionEnds()) {
      const input = this.#inputs.get(partitionKey(end));
      if (input && end.offset > input.next) input.next = end.offset;
    }
    const [gone] = consumer.takeGone();
    if (gone !== undefined) throw this.#emptied(gone, task);
    const error = consumer.takeError();
    if (error !== undefined && (error.fatal || isForbidden(error))) {
      throw new StreamsException(`The global consumer failed: ${error.message}`, { cause: error });
    }
    if (error) {
      this.#options.log.warn(`The global consumer reports ${error.codeName}`, { err: error });
    }
    if (batch === undefined) await consumer.wait(this.#options.settings.pollMs);
    await nextTurn();
  }

  /** What was deleted before it was read cannot be made up for: the next start begins with empty stores. */
  #emptied(gone: PartitionOffset, task: StreamTask): StreamsException {
    task.rollback();
    task.wipe();
    this.#inputs.clear();
    return new StreamsException(
      `Updating global state failed as ${
        partitionKey(gone)
      } has no record ${gone.offset} any more. ` +
        "The local state is emptied; a restart fills it anew",
    );
  }

  #take(batch: ConsumedBatch, task: StreamTask, filling: boolean): void {
    const lease = new BatchLease(batch);
    for (const run of batch.runs) {
      const input = this.#inputs.get(partitionKey(run))!;
      input.next = batch.offsets[run.to - 1] + 1;
      if (filling && !input.reprocess) {
        copyRows(task, input.store, batch, run);
        lease.done(run.to - run.from);
      } else task.addBatch(lease, run);
    }
  }

  /** The position is that of the first record that is still queued. */
  #checkpoint(task: StreamTask): void {
    const positions = new Map<string, number>();
    for (const { topic, partition, offset } of task.prepareCommit()) {
      const key = partitionKey({ topic, partition });
      const next = offset ?? this.#inputs.get(key)?.next;
      if (next !== undefined) positions.set(key, next);
    }
    task.postCommit(positions);
  }

  /** Ends `open` and `run` soon. */
  stop(): void {
    this.#stopped = true;
  }

  /** Stops following, writes the position and closes the stores. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#consumer?.close();
    const task = this.#task;
    if (task === undefined || task.state === "closed") return;
    if (task.state === "running") this.#checkpoint(task);
    task.close({ clean: true });
  }
}

/** Applies rows as they are; rows without a key are skipped. */
function copyRows(task: StreamTask, store: string, batch: ConsumedBatch, run: PartitionRun): void {
  let from = run.from;
  for (let row = run.from; row <= run.to; row++) {
    if (row < run.to && batch.keyLengths[row] >= 0) continue;
    if (row > from) task.restore(store, batch, from, row);
    from = row + 1;
  }
}

function offsetsByKey(offsets: readonly PartitionOffset[]): Map<string, number> {
  return new Map(offsets.map((o) => [partitionKey(o), o.offset]));
}
