import { TopologyException } from "../errors.ts";
import type { RecordMetadata } from "../record/context.ts";
import type { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import type { DropReason, StateStore } from "../state/store.ts";
import type { Cancellable, ProcessorContext, PunctuationType } from "../topology/processor.ts";
import type { TaskNode } from "./processor_node.ts";
import type { TaskContext } from "./task_context.ts";

/** A processor's view of its task; each processor has its own, so no current node is kept. Kafka Streams: `ProcessorContextImpl`. */
export class NodeContext implements ProcessorContext<any, any> {
  readonly processorName: string;
  readonly #task: TaskContext;
  readonly #children: readonly TaskNode[];
  readonly #stores: readonly string[];
  /** The only child, where there is one: the usual case takes no loop. */
  readonly #only: TaskNode | undefined;

  constructor(
    processorName: string,
    task: TaskContext,
    children: readonly TaskNode[],
    stores: readonly string[],
  ) {
    this.processorName = processorName;
    this.#task = task;
    this.#children = children;
    this.#stores = stores;
    this.#only = children.length === 1 ? children[0] : undefined;
  }

  forward(record: StreamRecord<any, any>, childName?: string): void {
    // Stores and sinks behind this point see the forwarded record's time and headers; afterwards this one's again.
    const context = this.#task.record;
    const { timestamp, headers } = context;
    context.timestamp = record.timestamp;
    context.headers = record.headers;
    if (childName !== undefined) this.#child(childName).process(record);
    else if (this.#only !== undefined) this.#only.process(record);
    else {
      const children = this.#children;
      for (let i = 0; i < children.length; i++) children[i].process(record);
    }
    context.timestamp = timestamp;
    context.headers = headers;
  }

  #child(name: string): TaskNode {
    for (const child of this.#children) if (child.name === name) return child;
    throw new TopologyException(
      `Unknown downstream node: ${name} either does not exist or is not connected to this processor.`,
    );
  }

  get applicationId(): string {
    return this.#task.settings.applicationId;
  }
  get taskId(): string {
    return this.#task.taskId;
  }
  get stateDir(): string {
    return this.#task.stateDir;
  }
  get keySerde(): Serde<unknown> | undefined {
    return this.#task.settings.defaultKeySerde;
  }
  get valueSerde(): Serde<unknown> | undefined {
    return this.#task.settings.defaultValueSerde;
  }
  getStateStore<S extends StateStore>(name: string): S {
    return this.#task.store(name, this.processorName, this.#stores) as S;
  }
  schedule(
    intervalMs: number,
    type: PunctuationType,
    callback: (timestamp: number) => void,
    startTimeMs?: number,
  ): Cancellable {
    return this.#task.schedule(this.processorName, intervalMs, type, callback, startTimeMs);
  }
  commit(): void {
    this.#task.requestCommit();
  }
  recordMetadata(): RecordMetadata | undefined {
    const { topic, partition, offset } = this.#task.record;
    return topic === undefined ? undefined : { topic, partition, offset };
  }
  currentStreamTimeMs(): number {
    return this.#task.streamTime();
  }
  currentSystemTimeMs(): number {
    return this.#task.clock.now();
  }
  appConfigs(): Readonly<Record<string, unknown>> {
    return this.#task.settings.appConfigs;
  }
  dropped(reason: DropReason, detail?: string): void {
    this.#task.dropped(reason, detail);
  }
  setting(key: string): number | string | boolean | undefined {
    return this.#task.settings.appConfigs[key] as number | string | boolean | undefined;
  }
  processorMetadata(key: string): number | undefined {
    return this.#task.processorMetadata.get(key);
  }
  setProcessorMetadata(key: string, value: number): void {
    this.#task.processorMetadata.set(key, value);
  }
  pauseSources(untilMs: number): void {
    this.#task.pauseSources(untilMs);
  }
}
