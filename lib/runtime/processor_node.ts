import {
  AsyncFunctionError,
  asyncFunctionError,
  isThenable,
  SchemaPending,
  StreamsException,
  TaskCorruptedException,
  TaskMigratedException,
} from "../errors.ts";
import type { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import type { Processor, StreamPartitioner, TopicNameExtractor } from "../topology/processor.ts";
import type { Destination } from "./record_collector.ts";
import type { TaskContext } from "./task_context.ts";

/** A node of a running task. */
export interface TaskNode {
  readonly name: string;
  /** Records that it was given. */
  readonly processed: number;
  process(record: StreamRecord<any, any>): void;
}

/** A failure of user code that has been through the processing handler and was not forgiven. Kafka Streams: `FailedProcessingException`. */
export class FailedProcessingError extends Error {
  override name = "FailedProcessingError";
  readonly processorName: string;
  constructor(processorName: string, cause: unknown) {
    super(`Processing failed in ${processorName}`, { cause });
    this.processorName = processorName;
  }
}

/** A processor with its place in the task. Kafka Streams: `ProcessorNode`. */
export class ProcessorNode implements TaskNode {
  readonly name: string;
  processed = 0;
  readonly processor: Processor<any, any, any, any>;
  readonly #task: TaskContext;

  constructor(name: string, processor: Processor<any, any, any, any>, task: TaskContext) {
    this.name = name;
    this.processor = processor;
    this.#task = task;
  }

  process(record: StreamRecord<any, any>): void {
    this.processed++;
    try {
      const result: unknown = this.processor.process(record);
      if (result !== undefined) refusePromise(result, this.name);
    } catch (error) {
      this.#failed(record, error);
    }
  }

  #failed(record: StreamRecord<any, any>, error: unknown): void {
    if (
      error instanceof FailedProcessingError || error instanceof TaskCorruptedException ||
      error instanceof TaskMigratedException || error instanceof AsyncFunctionError ||
      error instanceof SchemaPending
    ) throw error;
    this.#task.processingFailed(this.name, record, error as Error);
  }
}

function refusePromise(result: unknown, name: string): void {
  if (!isThenable(result)) return;
  throw asyncFunctionError(
    `Cannot go on in processor ${name} as process() gave a Promise and the record path is synchronous: current value is a Promise. Return nothing, and do asynchronous work before the record enters the topology`,
    result,
  );
}

/** A source: hands records on. Kafka Streams: `SourceNode`. */
export class SourceNode implements TaskNode {
  readonly name: string;
  processed = 0;
  readonly #children: readonly TaskNode[];

  constructor(name: string, children: readonly TaskNode[]) {
    this.name = name;
    this.#children = children;
  }

  process(record: StreamRecord<any, any>): void {
    this.processed++;
    const children = this.#children;
    for (let i = 0; i < children.length; i++) children[i].process(record);
  }
}

/** What a sink needs. */
export interface SinkSettings {
  readonly name: string;
  /** The full topic name, or the function that chooses it. */
  readonly topic: string | TopicNameExtractor<any, any>;
  readonly key: Serde<any>;
  readonly value: Serde<any>;
  readonly partitioner: StreamPartitioner<any, any> | undefined;
}

/** A sink: hands records to the collector. Kafka Streams: `SinkNode`. */
export class SinkNode implements TaskNode {
  readonly name: string;
  processed = 0;
  readonly #settings: SinkSettings;
  readonly #task: TaskContext;
  readonly #fixed: Destination | undefined;

  constructor(settings: SinkSettings, task: TaskContext) {
    this.name = settings.name;
    this.#settings = settings;
    this.#task = task;
    this.#fixed = typeof settings.topic === "string"
      ? task.collector.destination(settings.topic)
      : undefined;
  }

  process(record: StreamRecord<any, any>): void {
    this.processed++;
    const destination = this.#fixed ?? this.#chooseTopic(record);
    if (this.#settings.partitioner !== undefined) this.#sendPartitioned(destination, record);
    else this.#send(destination, record, -1);
  }

  #chooseTopic(record: StreamRecord<any, any>): Destination {
    const { record: context, collector } = this.#task;
    const choose = this.#settings.topic as TopicNameExtractor<any, any>;
    const topic = choose(record.key, record.value, {
      topic: context.topic ?? undefined,
      partition: context.partition,
      offset: context.offset,
      timestamp: record.timestamp,
      headers: record.headers,
    });
    if (isThenable(topic)) {
      throw asyncFunctionError(
        `Cannot choose a topic in sink ${this.name} as user functions are synchronous: current value is a Promise`,
        topic,
      );
    }
    if (typeof topic !== "string" || topic === "") {
      throw new StreamsException(
        `Cannot write to a topic in sink ${this.name} as the topic name must be text: current value is ${
          String(topic)
        }`,
      );
    }
    return collector.destination(topic);
  }

  #sendPartitioned(destination: Destination, record: StreamRecord<any, any>): void {
    const count = this.#task.collector.partitionCount(destination);
    const { key, value } = record;
    const chosen = this.#settings.partitioner!(destination.topic, key, value, count);
    if (chosen === undefined) this.#send(destination, record, -1);
    else if (!Array.isArray(chosen)) this.#refusePartitions(chosen);
    else if (chosen.length === 0) {
      this.#task.dropped("production", "the partitioner chose no partition");
    } else {
      for (const partition of chosen) {
        if (!(Number.isInteger(partition) && partition >= 0 && partition < count)) {
          throw new StreamsException(
            `Cannot choose partitions in sink ${this.name} as the topic has ${count}: current value is ${partition}`,
          );
        }
        this.#send(destination, record, partition);
      }
    }
  }

  #refusePartitions(chosen: unknown): never {
    if (isThenable(chosen)) {
      throw asyncFunctionError(
        `Cannot choose partitions in sink ${this.name} as user functions are synchronous: current value is a Promise`,
        chosen,
      );
    }
    throw new StreamsException(
      `Cannot choose partitions in sink ${this.name} as the partitioner must give a list of numbers or undefined: current value is ${
        String(chosen)
      }`,
    );
  }

  #send(destination: Destination, record: StreamRecord<any, any>, partition: number): void {
    const { key, value, name } = this.#settings;
    const task = this.#task;
    task.collector.send(
      destination,
      record.key,
      record.value,
      key,
      value,
      record.timestamp,
      record.headers,
      partition,
      task.record,
      name,
      task.taskId,
    );
  }
}
