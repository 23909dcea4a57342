/** One real task without a broker: batches made in memory, output counted and thrown away. */
import type { ConsumedBatch } from "../lib/kafka/client.ts";
import { ByteWriter } from "../lib/record/bytes.ts";
import { systemClock } from "../lib/record/time.ts";
import { BatchLease } from "../lib/runtime/batch_lease.ts";
import type { Destination, RecordCollector } from "../lib/runtime/record_collector.ts";
import { StreamTask } from "../lib/runtime/task.ts";
import { taskSettings } from "../lib/runtime/task_settings.ts";
import type { Serde } from "../lib/serde/serde.ts";
import { cacheBudget } from "../lib/state/cache_budget.ts";
import { MemoryEnvironment } from "../lib/state/memory_environment.ts";
import type { CacheBudget } from "../lib/state/store.ts";
import { compileAsOneTask } from "../lib/topology/compile.ts";
import type { Topology } from "../lib/topology/topology.ts";

const BATCH_ROWS = 5000;

/** A record to be read. Timestamps are epoch ms. */
export interface InputRow<K, V> {
  readonly key: K;
  readonly value: V | null;
  readonly timestamp: number;
}

/** Rows of one topic as a consumer hands them over, in batches of 5000. */
export function batchesOf<K, V>(
  topic: string,
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
  rows: readonly InputRow<K, V>[],
): ConsumedBatch[] {
  const batches: ConsumedBatch[] = [];
  for (let from = 0; from < rows.length; from += BATCH_ROWS) {
    batches.push(batchOf(topic, serdes, rows.slice(from, from + BATCH_ROWS), from));
  }
  return batches;
}

function batchOf<K, V>(
  topic: string,
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> },
  rows: readonly InputRow<K, V>[],
  firstOffset: number,
): ConsumedBatch {
  const count = rows.length;
  const slab = new ByteWriter(count * 64);
  const keyStarts = new Int32Array(count);
  const keyLengths = new Int32Array(count);
  const valueStarts = new Int32Array(count);
  const valueLengths = new Int32Array(count);
  rows.forEach((row, i) => {
    keyStarts[i] = slab.length;
    serdes.key.encode(row.key, slab, { topic, isKey: true });
    keyLengths[i] = slab.length - keyStarts[i];
    valueStarts[i] = slab.length;
    if (row.value !== null) serdes.value.encode(row.value, slab, { topic, isKey: false });
    valueLengths[i] = row.value === null ? -1 : slab.length - valueStarts[i];
  });
  return {
    slab: slab.bytes,
    count,
    runs: [{ topic, partition: 0, from: 0, to: count }],
    offsets: Float64Array.from(rows, (_, i) => firstOffset + i),
    timestamps: Float64Array.from(rows, (row) => row.timestamp),
    keyStarts,
    keyLengths,
    valueStarts,
    valueLengths,
    headerStarts: new Int32Array(count),
    headerLengths: new Int32Array(count).fill(-1),
    release: () => {},
  };
}

/** Serializes what it gets, as the producer's collector does, and forgets it. */
export class CountingCollector implements RecordCollector {
  sent = 0;
  logged = 0;
  readonly #destinations = new Map<string, Destination>();
  readonly #scratch = new ByteWriter(4096);

  destination(topic: string): Destination {
    let found = this.#destinations.get(topic);
    if (found === undefined) {
      found = {
        topic,
        index: this.#destinations.size,
        keySite: { topic, isKey: true },
        valueSite: { topic, isKey: false },
      };
      this.#destinations.set(topic, found);
    }
    return found;
  }
  partitionCount(): number {
    return 1;
  }
  send<K, V>(
    destination: Destination,
    key: K | null,
    value: V | null,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
  ): void {
    this.sent++;
    const scratch = this.#scratch;
    scratch.reset();
    if (key !== null) keySerde.encode(key, scratch, destination.keySite);
    if (value !== null) valueSerde.encode(value, scratch, destination.valueSite);
  }
  log(_destination: Destination, _partition: number, key: Uint8Array): void {
    this.logged++;
    this.#scratch.reset();
    this.#scratch.raw(key);
  }
  deadLetter(): void {}
}

/** A running task of the topology, all of its subtopologies in one. */
export class SingleTask {
  readonly collector: CountingCollector = new CountingCollector();
  readonly task: StreamTask;

  constructor(topology: Topology, options: { readonly cacheBytes?: number } = {}) {
    const config = { "application.id": "bench", "max.task.idle.ms": -1 };
    const cacheBytes = options.cacheBytes ?? 64 * 1024 * 1024;
    const plan = compileAsOneTask(topology, { applicationId: "bench", cacheMaxBytes: cacheBytes });
    const cache: CacheBudget | undefined = cacheBytes > 0 ? cacheBudget(cacheBytes) : undefined;
    this.task = new StreamTask({
      id: "0_0",
      plan,
      inputPartitions: plan.sourceTopics.map((topic) => ({ topic, partition: 0 })),
      settings: taskSettings(config),
      collector: this.collector,
      environment: new MemoryEnvironment(),
      stateDir: "",
      cache,
      clock: systemClock,
    });
    this.task.openStores();
    this.task.start();
  }

  /** Processes the batches of several topics, one of each in turn; gives the milliseconds it took, commits included. */
  run(inputs: readonly (readonly ConsumedBatch[])[]): number {
    const turns = Math.max(...inputs.map((batches) => batches.length));
    const start = systemClock.monotonic();
    for (let turn = 0; turn < turns; turn++) {
      for (const batches of inputs) {
        if (turn >= batches.length) continue;
        const batch = batches[turn];
        this.task.addBatch(new BatchLease(batch), batch.runs[0]);
      }
      while (this.task.processUpTo(BATCH_ROWS, 0) > 0);
      // Every hundredth turn is a commit: caches are emptied, changelogs written, stores brought up to date.
      if (turn % 100 === 99 || turn === turns - 1) this.#commit();
    }
    return systemClock.monotonic() - start;
  }
  #commit(): void {
    this.task.prepareCommit();
    this.task.postCommit(new Map());
  }
}
