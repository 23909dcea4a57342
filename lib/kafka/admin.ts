import type { KafkaError } from "../errors.ts";
import type { Addon } from "./addon.ts";
import type {
  Admin,
  ClientConfig,
  ClientEvents,
  GroupDescription,
  NewTopic,
  PartitionOffset,
  TopicDescription,
  TopicPartition,
} from "./client.ts";
import { NativeClient } from "./native_client.ts";

/** The first and the next offset in the protocol's own terms. */
const EARLIEST = -2;
const LATEST = -1;

/** The admin client over librdkafka. */
export class LibrdkafkaAdmin implements Admin {
  readonly #client: NativeClient;
  readonly #addon: Addon;

  constructor(addon: Addon, config: ClientConfig, events: ClientEvents) {
    this.#addon = addon;
    this.#client = new NativeClient(addon, "admin", config, events, () => this.#serve());
    this.#serve();
  }

  /** Errors and statistics come as events, and are taken as they come. */
  #serve(): void {
    const { handle, isClosing } = this.#client;
    if (isClosing) return;
    while (this.#addon.armProducer(handle)) this.#addon.serveProducer(handle);
  }

  createTopics(
    topics: readonly NewTopic[],
    timeoutMs: number,
  ): Promise<(KafkaError | undefined)[]> {
    const rows = topics.map((each): [string, number, number, string[]] => [
      each.topic,
      each.partitions,
      each.replicationFactor,
      Object.entries(each.config ?? {}).flat(),
    ]);
    return this.#ask(this.#addon.createTopics(this.#client.handle, rows, timeoutMs)) as Promise<
      (KafkaError | undefined)[]
    >;
  }

  deleteTopics(topics: readonly string[], timeoutMs: number): Promise<(KafkaError | undefined)[]> {
    return this.#ask(this.#addon.deleteTopics(this.#client.handle, topics, timeoutMs)) as Promise<
      (KafkaError | undefined)[]
    >;
  }

  describeTopics(topics: readonly string[], timeoutMs: number): Promise<TopicDescription[]> {
    return this.#ask(this.#addon.describeTopics(this.#client.handle, topics, timeoutMs));
  }

  listTopics(timeoutMs: number): Promise<TopicDescription[]> {
    return this.#ask(this.#addon.listTopics(this.#client.handle, [], timeoutMs));
  }

  async topicConfig(topic: string, timeoutMs: number): Promise<Record<string, string>> {
    const pairs = await this.#ask(this.#addon.topicConfig(this.#client.handle, [topic], timeoutMs));
    const config: Record<string, string> = {};
    for (let i = 0; i < pairs.length; i += 2) config[pairs[i]] = pairs[i + 1];
    return config;
  }

  deleteRecords(before: readonly PartitionOffset[], timeoutMs: number): Promise<void> {
    if (before.length === 0) return Promise.resolve();
    return this.#ask(this.#addon.deleteRecords(this.#client.handle, before, timeoutMs));
  }

  async listOffsets(
    partitions: readonly TopicPartition[],
    which: "earliest" | "latest",
    timeoutMs: number,
    isolation: "readCommitted" | "readUncommitted" = "readUncommitted",
  ): Promise<PartitionOffset[]> {
    if (partitions.length === 0) return [];
    const wanted = which === "earliest" ? EARLIEST : LATEST;
    const committed = isolation === "readCommitted";
    const { handle } = this.#client;
    return await this.#ask(
      this.#addon.listOffsets(handle, partitions, timeoutMs, wanted, committed),
    );
  }

  listGroups(timeoutMs: number): Promise<string[]> {
    return this.#ask(this.#addon.listGroups(this.#client.handle, [], timeoutMs));
  }

  async describeGroups(groups: readonly string[], timeoutMs: number): Promise<GroupDescription[]> {
    const found = await this.#ask(
      this.#addon.describeGroups(this.#client.handle, groups, timeoutMs),
    );
    return found.map((group) => ({
      ...group,
      members: group.members.map((member) => ({
        ...member,
        partitions: member.partitions.map(({ topic, partition }) => ({ topic, partition })),
      })),
    }));
  }

  deleteGroups(groups: readonly string[], timeoutMs: number): Promise<(KafkaError | undefined)[]> {
    return this.#ask(this.#addon.deleteGroups(this.#client.handle, groups, timeoutMs)) as Promise<
      (KafkaError | undefined)[]
    >;
  }

  groupOffsets(group: string, timeoutMs: number): Promise<PartitionOffset[]> {
    return this.#ask(this.#addon.groupOffsets(this.#client.handle, [group], timeoutMs));
  }

  alterGroupOffsets(
    group: string,
    offsets: readonly PartitionOffset[],
    timeoutMs: number,
  ): Promise<void> {
    if (offsets.length === 0) return Promise.resolve();
    return this.#ask(
      this.#addon.alterGroupOffsets(this.#client.handle, group, offsets, timeoutMs),
    );
  }

  close(): Promise<void> {
    return this.#client.close(() => {}, () => this.#addon.closeProducer(this.#client.handle));
  }

  #ask<T>(call: Promise<T>): Promise<T> {
    return this.#client.run(call);
  }
}
