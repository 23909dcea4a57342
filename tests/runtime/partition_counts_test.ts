import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import {
  MissingSourceTopicException,
  StreamsException,
  TopologyException,
} from "../../lib/errors.ts";
import {
  refuseMissingSources,
  repartitionCounts,
  taskCount,
} from "../../lib/runtime/partition_counts.ts";
import { assignTasks } from "../../lib/runtime/task_assignment.ts";
import type { SubtopologyPlan, TopologyPlan } from "../../lib/topology/compile.ts";

function sub(
  id: number,
  sourceTopics: readonly string[],
  sinkTopics: readonly string[] = [],
  sourcePatterns: readonly RegExp[] = [],
): SubtopologyPlan {
  return {
    id,
    nodes: [],
    stores: [],
    sourceTopics,
    sourcePatterns,
    sinkTopics,
    repartitionTopics: [],
  };
}

function plan(
  subtopologies: readonly SubtopologyPlan[],
  repartition: Readonly<Record<string, number | undefined>> = {},
  copartitionGroups: readonly (readonly string[])[] = [],
): TopologyPlan {
  return {
    applicationId: "app",
    subtopologies,
    global: undefined,
    declaredTopics: new Map(),
    repartitionTopics: new Map(
      Object.entries(repartition).map(([topic, partitions]) => [topic, { partitions }]),
    ),
    copartitionGroups,
    description: "",
  };
}

const topics = (counts: Readonly<Record<string, number>>) => new Map(Object.entries(counts));

test("repartitionCounts takes the most partitions of what lies upstream", () => {
  const made = plan([sub(0, ["a", "b"], ["r"]), sub(1, ["r"])], { r: undefined });
  assertEquals(repartitionCounts(made, topics({ a: 3, b: 5 })), topics({ r: 5 }));
});

test("repartitionCounts goes through repartition topics that feed others, whatever their order", () => {
  const made = plan(
    [sub(0, ["r2"], ["r3"]), sub(1, ["r1"], ["r2"]), sub(2, ["a"], ["r1"]), sub(3, ["r3"])],
    { r3: undefined, r2: undefined, r1: undefined },
  );
  assertEquals(repartitionCounts(made, topics({ a: 6 })), topics({ r1: 6, r2: 6, r3: 6 }));
});

test("repartitionCounts counts the topics that a pattern matches", () => {
  const made = plan([sub(0, [], ["r"], [/in-.*/]), sub(1, ["r"])], { r: undefined });
  assertEquals(repartitionCounts(made, topics({ "in-1": 2, "in-2": 4, out: 9 })), topics({ r: 4 }));
});

test("repartitionCounts keeps what the user asked for", () => {
  const made = plan([sub(0, ["a"], ["r"]), sub(1, ["r"])], { r: 7 });
  assertEquals(repartitionCounts(made, topics({ a: 2 })), topics({ r: 7 }));
});

test("repartitionCounts gives repartition topics of a group the count of its source topics", () => {
  const made = plan([sub(0, ["a"], ["r"]), sub(1, ["r", "b"])], { r: undefined }, [["r", "b"]]);
  assertEquals(repartitionCounts(made, topics({ a: 2, b: 5 })), topics({ r: 5 }));
});

test("repartitionCounts gives a group of repartition topics the most that one of them has", () => {
  const made = plan(
    [sub(0, ["a"], ["r1"]), sub(1, ["b"], ["r2"]), sub(2, ["r1", "r2"])],
    { r1: undefined, r2: undefined },
    [["r1", "r2"]],
  );
  assertEquals(repartitionCounts(made, topics({ a: 2, b: 5 })), topics({ r1: 5, r2: 5 }));
});

test("repartitionCounts lets the count that one of a group asks for count for all", () => {
  const made = plan(
    [sub(0, ["a"], ["r1"]), sub(1, ["b"], ["r2"]), sub(2, ["r1", "r2"])],
    { r1: 3, r2: undefined },
    [["r1", "r2"]],
  );
  assertEquals(repartitionCounts(made, topics({ a: 2, b: 5 })), topics({ r1: 3, r2: 3 }));
});

const REFUSED: readonly {
  readonly what: string;
  readonly made: TopologyPlan;
  readonly existing: ReadonlyMap<string, number>;
  readonly error: new (message: string) => StreamsException;
  readonly message: string;
}[] = [
  {
    what: "source topics of a group with different counts",
    made: plan([sub(0, ["b", "a"])], {}, [["b", "a"]]),
    existing: topics({ a: 1, b: 2 }),
    error: TopologyException,
    message: "Invalid topology: Topics not co-partitioned: [{a=1, b=2}]",
  },
  {
    what: "a repartition topic that asks for another count than the source topic beside it",
    made: plan([sub(0, ["a"], ["r"]), sub(1, ["r", "b"])], { r: 4 }, [["r", "b"]]),
    existing: topics({ a: 2, b: 5 }),
    error: TopologyException,
    message:
      "Invalid topology: Number of partitions [4] of repartition topic [r] doesn't match number of partitions [5] of the source topic.",
  },
  {
    what: "repartition topics of a group that ask for different counts",
    made: plan([sub(0, ["a"], ["r1", "r2"]), sub(1, ["r1", "r2"])], { r1: 3, r2: 4 }, [[
      "r1",
      "r2",
    ]]),
    existing: topics({ a: 2 }),
    error: TopologyException,
    message:
      "Invalid topology: Following topics do not have the same number of partitions: [{r1=3, r2=4}]",
  },
  {
    what: "a pattern that matches nothing",
    made: plan([sub(0, [], ["r"], [/in-.*/]), sub(1, ["r"])], { r: undefined }),
    existing: topics({ a: 2 }),
    error: StreamsException,
    message:
      "Failed to compute number of partitions for all repartition topics, make sure all user input topics are created " +
      "and all Pattern subscriptions match at least one topic in the cluster",
  },
];
for (const { what, made, existing, error, message } of REFUSED) {
  test(`repartitionCounts refuses ${what}`, () => {
    assertEquals(assertThrows(() => repartitionCounts(made, existing), error).message, message);
  });
}

test("refuseMissingSources names every topic that is missing, but not those the engine makes", () => {
  const made = plan([sub(0, ["z", "a", "r"])], { r: undefined });
  const error = assertThrows(
    () => refuseMissingSources(made, topics({})),
    MissingSourceTopicException,
  );
  assertEquals(error.topics, ["a", "z"]);
});

test("taskCount is the most partitions of the source topics", () => {
  assertEquals(taskCount(sub(0, ["a", "b"]), topics({ a: 2, b: 3 })), 3);
});

test("assignTasks puts equal partition numbers of a subtopology into one task", () => {
  const made = plan([sub(0, ["a", "b"]), sub(1, ["c"])]);
  const counts = topics({ a: 2, b: 2, c: 2 });
  const owned = [["a", 1], ["b", 1], ["c", 0]].map(([topic, partition]) => ({
    topic: topic as string,
    partition: partition as number,
  }));
  const tasks = assignTasks(made, counts, owned);
  assertEquals(tasks.map((t) => [t.id, t.partitions.length, t.missing.length]), [
    ["0_1", 2, 0],
    ["1_0", 1, 0],
  ]);
});

test("assignTasks tells what of a task another member reads", () => {
  const tasks = assignTasks(plan([sub(0, ["a", "b"])]), topics({ a: 2, b: 2 }), [
    { topic: "a", partition: 1 },
  ]);
  assertEquals(tasks[0].missing, [{ topic: "b", partition: 1 }]);
});

test("assignTasks makes a task of the partitions that exist when topics differ in their counts", () => {
  const tasks = assignTasks(plan([sub(0, ["a", "b"])]), topics({ a: 2, b: 1 }), [
    { topic: "a", partition: 0 },
    { topic: "a", partition: 1 },
    { topic: "b", partition: 0 },
  ]);
  assertEquals(tasks.map((t) => [t.id, t.partitions.length, t.missing.length]), [
    ["0_0", 2, 0],
    ["0_1", 1, 0],
  ]);
});
