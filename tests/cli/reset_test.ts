import { test } from "node:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { reset, type ResetOptions } from "../../lib/cli/reset.ts";
import { targetOffsets } from "../../lib/cli/reset_offsets.ts";
import { StreamsException } from "../../lib/errors.ts";
import type { Consumer } from "../../lib/kafka/client.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const TIMEOUT_MS = 10_000;
const APP = "app";

/** A broker with ten records in each of two partitions of `in`, half of them committed by the group, and two internal topics. */
async function scene() {
  const broker = startEmbeddedBroker();
  const clients = embeddedClients(broker);
  const config = { "bootstrap.servers": broker.bootstrapServers };
  for (
    const [topic, partitions] of [["in", 2], ["app-s-changelog", 2], ["app-k-repartition", 2], [
      "app-out",
      1,
    ]] as const
  ) {
    broker.createTopic(topic, partitions);
  }
  const producer = clients.producer({ ...config, "linger.ms": 0 });
  const batch = new ProduceBatch();
  for (let i = 0; i < 20; i++) {
    batch.add(batch.topic("in"), i % 2, 1000 * i, null, new TextEncoder().encode(`${i}`));
  }
  producer.produce(batch, 0);
  await producer.flush(TIMEOUT_MS);
  await producer.close();
  const admin = clients.admin(config);
  await admin.alterGroupOffsets(
    APP,
    [0, 1].map((partition) => ({ topic: "in", partition, offset: 5 })),
    TIMEOUT_MS,
  );
  const stateDir = makeTempDir("reset");
  mkdirSync(join(stateDir, APP, "0_0"), { recursive: true });
  const options: ResetOptions = {
    applicationId: APP,
    bootstrapServer: broker.bootstrapServers,
    inputTopics: ["in"],
    force: false,
    local: true,
    stateDir,
    execute: false,
  };
  return {
    options,
    clients,
    stateDir,
    config,
    offsets: async () =>
      (await admin.groupOffsets(APP, TIMEOUT_MS)).filter((each) => each.topic === "in")
        .map((each) => each.offset),
    topics: async () => (await admin.listTopics(TIMEOUT_MS)).map((each) => each.topic).sort(),
    async run(more: Partial<ResetOptions>): Promise<string> {
      let text = "";
      const code = await reset({ ...options, ...more }, (out) => void (text += out), clients);
      assertEquals(code, 0);
      return text;
    },
    async [Symbol.asyncDispose]() {
      await admin.close();
      broker.close();
    },
  };
}

test("reset only says what it would do unless it is told to do it", async () => {
  await using it = await scene();
  const before = await it.topics();
  const text = await it.run({});
  assertStringIncludes(text, "[dry run] Topic: in Partition: 1 Offset: 0");
  assertStringIncludes(text, "[dry run] Delete internal topic: app-s-changelog");
  assertStringIncludes(text, "Add --execute");
  assertEquals(await it.offsets(), [5, 5]);
  assertEquals(await it.topics(), before);
  assert(existsSync(join(it.stateDir, APP, "0_0")));
});

test("reset moves the inputs to their beginning, deletes internal topics and local state", async () => {
  await using it = await scene();
  await it.run({ execute: true });
  assertEquals(await it.offsets(), [0, 0]);
  assertEquals((await it.topics()).filter((topic) => topic.startsWith("app-")), ["app-out"]);
  assert(!existsSync(join(it.stateDir, APP, "0_0")));
});

const plan = join(makeTempDir("reset"), "plan.csv");
writeFileSync(plan, "in,0,3\nin,1,4\n");
const TARGETS: [name: string, target: Partial<ResetOptions>, want: number[]][] = [
  ["the end", { toLatest: true }, [10, 10]],
  ["an offset", { toOffset: 7 }, [7, 7]],
  ["an offset beyond the end", { toOffset: 99 }, [10, 10]],
  ["fewer than committed", { shiftBy: -2 }, [3, 3]],
  ["more than committed", { shiftBy: 3 }, [8, 8]],
  ["what a file says", { fromFile: plan }, [3, 4]],
];
for (const [name, target, want] of TARGETS) {
  test(`reset moves the inputs to ${name}`, async () => {
    await using it = await scene();
    await it.run({ ...target, execute: true, local: false });
    assertEquals(await it.offsets(), want);
  });
}

test("reset deletes only the internal topics that are named, and none that is not internal", async () => {
  await using it = await scene();
  await it.run({ execute: true, internalTopics: ["app-s-changelog"] });
  assertEquals((await it.topics()).includes("app-k-repartition"), true);
  await assertRejects(
    () => it.run({ internalTopics: ["app-out"] }),
    StreamsException,
    "app-out",
  );
});

test("reset refuses an input topic that does not exist, and a group that has members", async () => {
  await using it = await scene();
  await assertRejects(() => it.run({ inputTopics: ["nowhere"] }), StreamsException, "nowhere");
  const member = it.clients.consumer({ ...it.config, "group.id": APP, "client.id": "busy" });
  member.subscribe(["in"]);
  for (let i = 0; i < 200 && member.assignment().length === 0; i++) {
    member.poll(10);
    const rebalance = member.takeRebalance();
    if (rebalance) member.completeRebalance(rebalance);
    await member.wait(50);
  }
  await assertRejects(() => it.run({ force: true }), StreamsException, "must have no members");
  await member.close();
});

test("targetOffsets asks for offsets by time, and takes the end where no record is as young", async () => {
  await using it = await scene();
  const admin = it.clients.admin(it.config);
  const asked: number[] = [];
  // The embedded brokers know no offsets by time.
  const consumer = {
    offsetsForTimes(
      partitions: readonly { topic: string; partition: number; timestamp: number }[],
    ) {
      asked.push(...partitions.map((each) => each.timestamp));
      return Promise.resolve(partitions.map((p) => ({ ...p, offset: p.partition === 0 ? 4 : -1 })));
    },
  } as unknown as Consumer;
  const partitions = [0, 1].map((partition) => ({ topic: "in", partition }));
  const tools = { admin, consumer, group: APP, nowMs: 100_000, timeoutMs: TIMEOUT_MS };
  const offsets = await targetOffsets({ byDuration: "PT40S" }, partitions, tools);
  assertEquals(offsets.map((each) => each.offset), [4, 10]);
  assertEquals(asked, [60_000, 60_000]);
  await admin.close();
});
