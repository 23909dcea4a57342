import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { encodeAlone } from "../../lib/serde/list.ts";
import { avro } from "../../lib/serde/avro.ts";
import { SchemaRegistryError } from "../../lib/serde/registry.ts";
import { SchemaRegistryClient } from "../../lib/serde/schema_registry_client.ts";
import { sharedRegistry } from "../support/registry.ts";
import { recordSchema, registryContract } from "./registry_contract.ts";

// Started before the tests: the first of them would be charged for it, and Bun's have five seconds.
const { url } = await sharedRegistry();
const open = () => Promise.resolve(new SchemaRegistryClient({ baseURLs: [url] }));

let count = 0;
const run = `${process.pid}-${Math.floor(performance.timeOrigin)}`;
const subject = (label: string) => `${label}-${run}-${count++}`;
registryContract("SchemaRegistryClient", open, subject);
registryContract(
  "SchemaRegistryClient in a context",
  () => Promise.resolve(new SchemaRegistryClient({ baseURLs: [url], context: "west" })),
  subject,
);

test("SchemaRegistryClient asks whether a schema may follow another", async () => {
  const registry = await open();
  const topic = subject("compatible");
  await registry.register(topic, recordSchema("C", { name: "id", type: "string" }));
  await fetch(`${url}/config/${topic}`, {
    method: "PUT",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ compatibility: "BACKWARD" }),
  });
  const withDefault = { name: "n", type: "int", default: 0 };
  assertEquals(
    await registry.isCompatible(
      topic,
      recordSchema("C", { name: "id", type: "string" }, withDefault),
    ),
    true,
  );
  const without = { name: "n", type: "int" };
  assertEquals(
    await registry.isCompatible(topic, recordSchema("C", { name: "id", type: "string" }, without)),
    false,
  );
  const error = await assertRejects(
    async () =>
      await registry.register(topic, recordSchema("C", { name: "id", type: "string" }, without)),
    SchemaRegistryError,
  );
  assertEquals(error.status, 409);
});

test("avro reads through the registry what another application registered and wrote", async () => {
  const site = { topic: subject("through"), isKey: false };
  const writer = avro<string>({ type: "string" }, { registry: await open() });
  await writer.prepare!(site);
  const bytes = encodeAlone(writer, "hello", site);
  const reader = avro<string>({ type: "string" }, { registry: await open() });
  const pending = await assertRejects(async () =>
    await Promise.resolve(reader.decode(bytes, 0, bytes.length, site))
  );
  await (pending as unknown as { ready: Promise<void> }).ready;
  assertEquals(reader.decode(bytes, 0, bytes.length, site), "hello");
});
