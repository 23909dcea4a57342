import { existsSync } from "node:fs";
import { test } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { sharedKafkaBroker, startKafkaBroker, uniqueName } from "./kafka_broker.ts";
import { createTopics, deleteTopics, describeTopics } from "./kafka_wire.ts";
import { run } from "./spawn.ts";

test("KafkaBroker keeps its topics through a crash and leaves nothing behind when stopped", async () => {
  const broker = await startKafkaBroker();
  try {
    await broker.createTopics([{ name: "one", partitions: 3 }, { name: "two" }]);
    assertEquals(await describeTopics(broker.bootstrapServers, ["one", "two", "three"]), counts);
    await broker.kill();
    assertEquals(broker.pid, -1);
    await broker.start();
    assertEquals(await describeTopics(broker.bootstrapServers, ["one", "two", "three"]), counts);
  } finally {
    await broker.stop();
  }
  assert(!existsSync(broker.dir));
});
const counts = new Map([["one", 3], ["two", 1], ["three", 0]]);

test("KafkaBroker with a SASL_SSL listener speaks TLS 1.3 with a certificate of its own authority", async () => {
  const broker = await startKafkaBroker({ sasl: { mechanisms: ["SCRAM-SHA-512"] } });
  try {
    const { caFile } = broker.security!.certificates;
    const probe =
      `openssl s_client -connect ${broker.bootstrapServers} -CAfile ${caFile} </dev/null`;
    const { stdout } = await run("sh", ["-c", probe]);
    assertStringIncludes(stdout, "Verify return code: 0 (ok)");
    assertStringIncludes(stdout, "TLSv1.3");
    await broker.createTopic("by-the-plain-listener");
  } finally {
    await broker.stop();
  }
});

test("sharedKafkaBroker gives the same broker twice, and topics are created and deleted on it", async () => {
  const broker = await sharedKafkaBroker();
  assertEquals(await sharedKafkaBroker(), broker);
  const name = uniqueName("shared");
  await broker.createTopic(name, { partitions: 2, config: { "cleanup.policy": "compact" } });
  const error = await assertRejects(() => createTopics(broker.bootstrapServers, [{ name }]));
  assertStringIncludes(error.message, "error 36");
  await broker.deleteTopics([name]);
  const again = await assertRejects(() => deleteTopics(broker.bootstrapServers, [name]));
  assertStringIncludes(again.message, "error 3");
});
