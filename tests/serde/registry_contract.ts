import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
} from "../../lib/serde/registry.ts";

/** An Avro record of that name and these fields. */
export function recordSchema(name: string, ...fields: object[]): RegisteredSchema {
  return {
    schema: JSON.stringify({ type: "record", name, fields }),
    schemaType: "AVRO",
    references: [],
  };
}

const ID = { name: "id", type: "string" };

/** What every registry does. `subject` gives a name that no other run has used. */
export function registryContract(
  name: string,
  open: () => Promise<SchemaRegistry>,
  subject: (label: string) => string,
): void {
  test(`${name} gives one id for one schema, under each subject and to every client`, async () => {
    const topic = subject("same");
    const schema = recordSchema("Same", ID);
    const [first, second] = [await open(), await open()];
    const id = await first.register(`${topic}-key`, schema);
    assertEquals(await second.register(`${topic}-value`, schema), id);
    assertEquals(await second.register(`${topic}-key`, schema), id);
    assertEquals(await second.lookup(`${topic}-key`, schema), id);
  });

  test(`${name} gives a schema back by its id`, async () => {
    const schema = recordSchema("Back", ID);
    const id = await (await open()).register(subject("back"), schema);
    const found = await (await open()).byId(id);
    assertEquals(JSON.parse(found.schema), JSON.parse(schema.schema));
    assertEquals(found.schemaType, "AVRO");
  });

  test(`${name} numbers a subject's versions`, async () => {
    const registry = await open();
    const topic = subject("versions");
    await registry.register(topic, recordSchema("V", ID));
    const id = await registry.register(
      topic,
      recordSchema("V", ID, { name: "n", type: "int", default: 0 }),
    );
    const latest = await registry.latest(topic);
    assertEquals([latest.subject, latest.version, latest.id], [topic, 2, id]);
  });

  test(`${name} gives each version of a subject`, async () => {
    const registry = await open();
    const topic = subject("each");
    const newer = recordSchema("W", ID, { name: "n", type: "int", default: 0 });
    const first = await registry.register(topic, recordSchema("W", ID));
    await registry.register(topic, newer);
    const found = await registry.version(topic, 1);
    assertEquals([found.subject, found.version, found.id], [topic, 1, first]);
    assertEquals(await registry.versions(topic), [1, 2]);
    assertEquals(JSON.parse((await registry.version(topic, 2)).schema), JSON.parse(newer.schema));
  });

  test(`${name} keeps what a schema refers to`, async () => {
    const registry = await open();
    const city = subject("city");
    const record = subject("City").replaceAll("-", "_");
    await registry.register(city, recordSchema(record, ID));
    const references = [{ name: record, subject: city, version: 1 }];
    const id = await registry.register(subject("home"), {
      ...recordSchema("Home", { name: "city", type: record }),
      references,
    });
    assertEquals((await (await open()).byId(id)).references, references);
  });

  test(`${name} says by code what it does not know`, async () => {
    const registry = await open();
    const code = async (ask: () => unknown) =>
      (await assertRejects(async () => await ask(), SchemaRegistryError)).code;
    assertEquals(await code(() => registry.byId(2_000_000_000)), 40403);
    assertEquals(await code(() => registry.latest(subject("unknown"))), 40401);
    assertEquals(await code(() => registry.versions(subject("unknown"))), 40401);
    const topic = subject("known");
    await registry.register(topic, recordSchema("Known", ID));
    assertEquals(await code(() => registry.lookup(topic, recordSchema("Other", ID))), 40403);
    assertEquals(await code(() => registry.version(topic, 9)), 40402);
  });

  test(`${name} refuses what is no schema`, async () => {
    const registry = await open();
    const broken: RegisteredSchema = { schema: "{", schemaType: "AVRO", references: [] };
    const error = await assertRejects(
      async () => await registry.register(subject("broken"), broken),
      SchemaRegistryError,
    );
    assertEquals([error.status, error.code], [422, 42201]);
    assert(!error.retriable);
  });
}
