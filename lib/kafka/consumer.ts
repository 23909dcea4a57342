import type { KafkaError } from "../errors.ts";
import type { Addon } from "./addon.ts";
import type {
  ClientConfig,
  ClientEvents,
  ConsumedBatch,
  Consumer,
  GroupMetadata,
  PartitionOffset,
  PartitionRun,
  Rebalance,
  TopicPartition,
} from "./client.ts";
import { NativeClient } from "./native_client.ts";
import { SlabPool } from "./slab_pool.ts";

/** How long a seek may take: it is answered by the client's own threads. */
const SEEK_TIMEOUT_MS = 10_000;
/** A poll names at most this many runs; what is left comes with the next. */
const MAX_RUNS = 512;

/** The consumer over librdkafka. */
export class LibrdkafkaConsumer implements Consumer {
  readonly #client: NativeClient;
  readonly #addon: Addon;
  readonly #pool = new SlabPool();
  readonly #runs = new Int32Array(3 * (MAX_RUNS + 1));
  #slots: TopicPartition[] = [];
  #rebalance: Rebalance | undefined;

  constructor(addon: Addon, config: ClientConfig, events: ClientEvents) {
    this.#addon = addon;
    this.#client = new NativeClient(addon, "consumer", config, events, () => {});
  }

  subscribe(topics: readonly string[]): void {
    this.#addon.subscribe(this.#client.handle, topics);
  }

  unsubscribe(): void {
    this.#addon.subscribe(this.#client.handle, []);
  }

  assign(partitions: readonly PartitionOffset[]): void {
    this.#assign(partitions, 0);
  }

  incrementalAssign(partitions: readonly PartitionOffset[]): void {
    this.#assign(partitions, 1);
  }

  incrementalUnassign(partitions: readonly TopicPartition[]): void {
    this.#assign(partitions, 2);
  }

  #assign(partitions: readonly TopicPartition[], how: 0 | 1 | 2): void {
    try {
      this.#addon.assign(this.#client.handle, partitions, how);
    } finally {
      this.#slots = this.#addon.slots(this.#client.handle);
    }
  }

  assignment(): TopicPartition[] {
    return this.#slots.map(({ topic, partition }) => ({ topic, partition }));
  }

  poll(maxRecords: number): ConsumedBatch | undefined {
    const runs = this.#runs;
    let buffers = this.#pool.take(maxRecords);
    let count = this.#poll(buffers.slab, buffers.columns, buffers.capacity, maxRecords);
    if (count < 0) {
      buffers = this.#pool.grown(buffers, runs[1]);
      count = this.#poll(buffers.slab, buffers.columns, buffers.capacity, maxRecords);
    }
    if (count <= 0) {
      this.#pool.give(buffers);
      return undefined;
    }
    if (runs[1] > 0) this.#pool.wantLarger();
    const batch: PartitionRun[] = [];
    for (let i = 1; i <= runs[0]; i++) {
      const { topic, partition } = this.#slots[runs[3 * i]];
      batch.push({ topic, partition, from: runs[3 * i + 1], to: runs[3 * i + 2] });
    }
    return this.#pool.batch(buffers, count, batch);
  }

  #poll(slab: Uint8Array, columns: ArrayBuffer, capacity: number, wanted: number): number {
    const { handle } = this.#client;
    return this.#addon.consumerPoll(handle, slab, columns, capacity, wanted, this.#runs);
  }

  wait(timeoutMs: number): Promise<void> {
    if (this.#addon.armConsumer(this.#client.handle)) return Promise.resolve();
    return this.#client.nextEvent(timeoutMs);
  }

  takeRebalance(): Rebalance | undefined {
    const taken = this.#addon.takeRebalance(this.#client.handle);
    if (taken === undefined) return undefined;
    const partitions = taken.partitions.map(({ topic, partition }) => ({ topic, partition }));
    this.#rebalance = { kind: taken.kind, partitions, incremental: taken.incremental };
    return this.#rebalance;
  }

  completeRebalance(rebalance: Rebalance, startAt: readonly PartitionOffset[] = []): void {
    if (rebalance !== this.#rebalance) {
      throw new TypeError(
        "Cannot complete the rebalance as it is not the one last taken: current value is " +
          `${rebalance.kind} of ${rebalance.partitions.length} partitions`,
      );
    }
    this.#rebalance = undefined;
    try {
      this.#addon.completeRebalance(this.#client.handle, startAt);
    } finally {
      this.#slots = this.#addon.slots(this.#client.handle);
    }
  }

  takeError(): KafkaError | undefined {
    return this.#addon.takeFault(this.#client.handle) as KafkaError | undefined;
  }

  takePartitionEnds(): PartitionOffset[] {
    return this.#addon.takeEnds(this.#client.handle) ?? [];
  }

  takeGone(): PartitionOffset[] {
    return this.#addon.takeGone(this.#client.handle) ?? [];
  }

  hold(partitions: readonly TopicPartition[]): void {
    this.#addon.hold(this.#client.handle, partitions, true);
  }

  release(partitions: readonly TopicPartition[]): void {
    this.#addon.hold(this.#client.handle, partitions, false);
    this.#wakeIfReady();
  }

  async seek(partition: TopicPartition, offset: number): Promise<void> {
    const target = [{ topic: partition.topic, partition: partition.partition, offset }];
    const { handle } = this.#client;
    try {
      await this.#client.run(this.#addon.seek(handle, target, SEEK_TIMEOUT_MS));
    } finally {
      if (!this.#client.isClosing) {
        this.#addon.seekDone(handle, target);
        this.#wakeIfReady();
      }
    }
  }

  /** A partition that flows again may have records already, of which no event tells. */
  #wakeIfReady(): void {
    if (this.#client.isWaitedFor && this.#addon.armConsumer(this.#client.handle)) {
      this.#client.wake();
    }
  }

  position(partition: TopicPartition): number | undefined {
    const { topic, partition: number } = partition;
    const offset = this.#addon.position(this.#client.handle, topic, number);
    return offset < 0 ? undefined : offset;
  }

  cachedWatermarks(partition: TopicPartition): { low: number; high: number } {
    const { topic, partition: number } = partition;
    return this.#addon.cachedWatermarks(this.#client.handle, topic, number);
  }

  committed(partitions: readonly TopicPartition[], timeoutMs: number): Promise<PartitionOffset[]> {
    const plain = partitions.map(({ topic, partition }) => ({ topic, partition }));
    return this.#client.run(this.#addon.committed(this.#client.handle, plain, timeoutMs));
  }

  commit(offsets: readonly PartitionOffset[]): Promise<void> {
    if (offsets.length === 0) return Promise.resolve();
    return this.#client.run(this.#addon.commit(this.#client.handle, offsets, 0));
  }

  groupMetadata(): GroupMetadata | undefined {
    const handle = this.#addon.groupMetadata(this.#client.handle);
    return handle === undefined ? undefined : { handle };
  }

  memberId(): string | undefined {
    return this.#addon.memberId(this.#client.handle);
  }

  async offsetsForTimes(
    partitions: readonly (TopicPartition & { timestamp: number })[],
    timeoutMs: number,
  ): Promise<PartitionOffset[]> {
    const asked = partitions.map(({ topic, partition, timestamp }) => ({
      topic,
      partition,
      offset: timestamp,
    }));
    const { handle } = this.#client;
    return await this.#client.run(this.#addon.offsetsForTimes(handle, asked, timeoutMs));
  }

  queryWatermarks(
    partition: TopicPartition,
    timeoutMs: number,
  ): Promise<{ low: number; high: number }> {
    const { handle } = this.#client;
    const { topic, partition: number } = partition;
    const asked = [{ topic, partition: number }];
    return this.#client.run(this.#addon.queryWatermarks(handle, asked, timeoutMs));
  }

  close(): Promise<void> {
    return this.#client.close(() => {}, () => this.#addon.closeConsumer(this.#client.handle));
  }
}
