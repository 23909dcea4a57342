import { TopologyException } from "../errors.ts";
import type { TopicPartition } from "../kafka/client.ts";
import type { Serde } from "../serde/serde.ts";
import { sourceIndexFor, type SubtopologyPlan } from "../topology/compile.ts";
import type { SinkNode as SinkData, SourceNode as SourceData } from "../topology/nodes.ts";
import type { Processor } from "../topology/processor.ts";
import { failOnInvalidTimestamp } from "../topology/timestamp_extractors.ts";
import { StreamsException } from "../errors.ts";
import { NodeContext } from "./processor_context.ts";
import { ProcessorNode, SinkNode, SourceNode, type TaskNode } from "./processor_node.ts";
import { type QueueEvents, RecordQueue } from "./record_queue.ts";
import type { TaskContext } from "./task_context.ts";

/** The running nodes of a task and the queues that feed them. */
export interface TaskGraph {
  readonly queues: readonly RecordQueue[];
  readonly nodes: readonly TaskNode[];
  sourceOf(queue: RecordQueue): SourceNode;
  /** Initializes the processors, upstream first. */
  init(): void;
  /** Closes the processors; the first error is thrown after all were closed. */
  close(): void;
}

/** Builds the nodes of a subtopology for one task. */
export function buildTaskGraph(
  plan: SubtopologyPlan,
  inputPartitions: readonly TopicPartition[],
  task: TaskContext,
  events: QueueEvents,
): TaskGraph {
  const built: TaskNode[] = new Array(plan.nodes.length);
  const started: { node: ProcessorNode; context: NodeContext }[] = [];
  // Children come later in topological order, so building from the end finds them made.
  for (let i = plan.nodes.length - 1; i >= 0; i--) {
    const { node, children, stores, topics } = plan.nodes[i];
    const childNodes = children.map((index) => built[index]);
    if (node.kind === "source") built[i] = new SourceNode(node.name, childNodes);
    else if (node.kind === "sink") built[i] = buildSink(node, topics, task);
    else {
      const processor = node.supplier.get() as Processor<any, any, any, any>;
      const made = new ProcessorNode(node.name, processor, task);
      started.unshift({
        node: made,
        context: new NodeContext(node.name, task, childNodes, stores),
      });
      built[i] = made;
    }
  }
  const queues = inputPartitions.map(({ topic, partition }) => {
    const index = sourceIndexFor(plan, topic);
    const source = plan.nodes[index].node as SourceData;
    const isRepartition = plan.repartitionTopics.includes(topic);
    return new RecordQueue(
      {
        topic,
        partition,
        key: serdeOr(source.key, task.settings.defaultKeySerde, "key", source.name),
        value: serdeOr(source.value, task.settings.defaultValueSerde, "value", source.name),
        timestampExtractor: isRepartition
          ? failOnInvalidTimestamp
          : source.timestampExtractor ?? task.settings.timestampExtractor,
      },
      index,
      events,
    );
  });
  return {
    queues,
    nodes: built,
    sourceOf: (queue) => built[queue.sourceIndex] as SourceNode,
    init: () => started.forEach(({ node, context }) => initProcessor(node, context)),
    close: () => closeAll(started.map(({ node }) => node)),
  };
}

function buildSink(node: SinkData, topics: readonly string[], task: TaskContext): SinkNode {
  return new SinkNode({
    name: node.name,
    topic: typeof node.topic === "string" ? topics[0] : node.topic,
    key: serdeOr(node.key, task.settings.defaultKeySerde, "key", node.name),
    value: serdeOr(node.value, task.settings.defaultValueSerde, "value", node.name),
    partitioner: node.partitioner,
  }, task);
}

function serdeOr(
  serde: Serde<any> | undefined,
  fallback: Serde<any> | undefined,
  part: "key" | "value",
  name: string,
): Serde<any> {
  const chosen = serde ?? fallback;
  if (chosen === undefined) {
    throw new TopologyException(
      `Cannot start node ${name} as it has no ${part} serde: give one to the topic or the operator, or set default.${part}.serde`,
    );
  }
  return chosen;
}

function initProcessor(node: ProcessorNode, context: NodeContext): void {
  try {
    node.processor.init?.(context);
  } catch (error) {
    throw new StreamsException(`failed to initialize processor ${node.name}`, { cause: error });
  }
}

function closeAll(nodes: readonly ProcessorNode[]): void {
  let first: unknown;
  for (const node of nodes) {
    try {
      node.processor.close?.();
    } catch (error) {
      first ??= new StreamsException(`failed to close processor ${node.name}`, { cause: error });
    }
  }
  if (first !== undefined) throw first;
}
