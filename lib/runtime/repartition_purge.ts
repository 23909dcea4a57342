import type { Admin, PartitionOffset } from "../kafka/client.ts";
import type { TopologyPlan } from "../topology/compile.ts";
import type { RuntimeLog } from "./runtime_log.ts";

/** What purging works with. */
export interface PurgeTools {
  readonly admin: Admin;
  readonly log: RuntimeLog;
  readonly requestTimeoutMs: number;
}

/**
 * Deletes the records of repartition topics that have been read and committed; their retention is unlimited, nothing else removes them. One request runs
 * at a time, beside the processing. Kafka Streams: `TaskManager.maybePurgeCommittedRecords`.
 */
export class RepartitionPurge {
  readonly #topics: ReadonlyMap<string, unknown>;
  readonly #tools: PurgeTools;
  #running: Promise<void> | undefined;
  /** When it last ran (epoch ms). */
  lastMs = 0;

  constructor(plan: TopologyPlan, tools: PurgeTools) {
    this.#topics = plan.repartitionTopics;
    this.#tools = tools;
  }

  /** Begins to delete what lies before these committed offsets (`topic-partition`), unless the last run still goes on. */
  run(committed: ReadonlyMap<string, number>, nowMs: number): void {
    this.lastMs = nowMs;
    const before: PartitionOffset[] = [];
    for (const [key, offset] of committed) {
      const at = key.lastIndexOf("-");
      const topic = key.slice(0, at);
      if (!this.#topics.has(topic) || offset <= 0) continue;
      before.push({ topic, partition: Number(key.slice(at + 1)), offset });
    }
    if (before.length === 0 || this.#running !== undefined) return;
    const { admin, log, requestTimeoutMs } = this.#tools;
    this.#running = admin.deleteRecords(before, requestTimeoutMs).catch((error) => {
      // They are deleted the next time; until then they only take room.
      log.debug("Could not delete read records of repartition topics", { err: error });
    }).finally(() => {
      this.#running = undefined;
    });
  }
}
