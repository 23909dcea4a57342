import { test } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SchemaPending, SerializationException } from "../../lib/errors.ts";
import { Headers } from "../../lib/record/headers.ts";
import { ManualClock } from "../../lib/record/time.ts";
import { avro } from "../../lib/serde/avro.ts";
import { encodeAlone, list } from "../../lib/serde/list.ts";
import { MockSchemaRegistry } from "../../lib/serde/mock_registry.ts";
import { type RegisteredSchema, SchemaRegistryError } from "../../lib/serde/registry.ts";
import type { Serde, SerdeSite } from "../../lib/serde/serde.ts";
import { timeWindowed } from "../../lib/serde/windowed.ts";
import { Windowed } from "../../lib/record/windowed.ts";
import { later, SlowRegistry } from "./slow_registry.ts";

const SITE: SerdeSite = { topic: "orders", isKey: false };
const TEXT: RegisteredSchema = { schema: '"string"', schemaType: "AVRO", references: [] };
const UNKNOWN = new SchemaRegistryError("Schema not found", 404, 40403);
const AWAY = new SchemaRegistryError("connection refused", 0, 0);
const FORBIDDEN = new SchemaRegistryError("Unauthorized", 401, 40101);
const WRITTEN = encodeAlone(avro<string>("string", { schemaId: 1 }), "a", SITE);

function read<T>(serde: Serde<T>, bytes: Uint8Array = WRITTEN, headers?: Headers): T {
  return serde.decode(bytes, 0, bytes.length, SITE, headers);
}
function reader(registry: SlowRegistry, clock = new ManualClock()): Serde<string> {
  const serde = avro<string>("string", { registry });
  serde.bind!({ registry: undefined, clock });
  return serde;
}
/** What reading gives in the end; fails when it waits more than once. */
async function settled<T>(serde: Serde<T>): Promise<T> {
  await assertThrows(() => read(serde), SchemaPending).ready;
  return read(serde);
}

test("avro waits for a schema that is not in memory, and asks for it once", async () => {
  const registry = new SlowRegistry(TEXT);
  const serde = reader(registry);
  const first = assertThrows(() => read(serde), SchemaPending);
  const second = assertThrows(() => read(serde), SchemaPending);
  await Promise.all([first.ready, second.ready]);
  assertEquals([read(serde), read(serde), registry.asked], ["a", "a", 1]);
});

test("avro reads what it wrote itself without asking the registry", async () => {
  const registry = new SlowRegistry(AWAY);
  const serde = reader(registry);
  await serde.prepare!(SITE);
  assertEquals([read(serde, encodeAlone(serde, "mine", SITE)), registry.asked], ["mine", 0]);
});

test("avro refuses a record whose id the registry does not know, and asks again after a minute", async () => {
  const registry = new SlowRegistry(UNKNOWN, TEXT);
  const clock = new ManualClock();
  const serde = reader(registry, clock);
  await assertThrows(() => read(serde), SchemaPending).ready;
  for (let poison = 0; poison < 3; poison++) {
    const error = assertThrows(() => read(serde), SerializationException, "id 1: Schema not found");
    assert(error.cause === UNKNOWN);
  }
  assertEquals(registry.asked, 1);
  clock.advance(60_000);
  assertEquals(await settled(serde), "a");
});

test("avro keeps records waiting while the registry is away, with growing pauses", async () => {
  const registry = new SlowRegistry(AWAY, AWAY, AWAY, TEXT);
  const clock = new ManualClock();
  assertEquals(await settled(reader(registry, clock)), "a");
  assertEquals([registry.asked, clock.now()], [4, 500 + 1_000 + 2_000]);
});

test("avro gives up on a registry after two minutes, but never refuses the record for it", async () => {
  const registry = new SlowRegistry(AWAY);
  const clock = new ManualClock();
  const serde = reader(registry, clock);
  const pending = assertThrows(() => read(serde), SchemaPending);
  const error = await assertRejects(() => pending.ready, SchemaRegistryError);
  assert(error === AWAY && clock.now() > 100_000 && clock.now() <= 120_000, String(clock.now()));
  assertThrows(() => read(serde), SchemaPending);
});

test("avro says at once that the registry refuses this client, and never refuses the record for it", async () => {
  const registry = new SlowRegistry(FORBIDDEN);
  const serde = reader(registry);
  const pending = assertThrows(() => read(serde), SchemaPending);
  await assertRejects(() => pending.ready, SchemaRegistryError, "Unauthorized");
  assertEquals(registry.asked, 1);
  assertThrows(() => read(serde), SchemaPending);
});

test("avro refuses a schema that is no Avro, and one that is not valid", async () => {
  for (
    const [schema, message] of [
      [{ ...TEXT, schemaType: "JSON" }, "must be Avro: current value is JSON"],
      [{ ...TEXT, schema: '"nonsense"' }, "is not valid"],
      [{ ...TEXT, schema: "{" }, "is not valid"],
    ] as [RegisteredSchema, string][]
  ) {
    const serde = reader(new SlowRegistry(schema));
    await assertThrows(() => read(serde), SchemaPending).ready;
    assertThrows(() => read(serde), SerializationException, message);
  }
});

test("avro lets a record wait whose topic was not prepared", async () => {
  const serde = avro("string", { registry: new SlowRegistry(TEXT) });
  const pending = assertThrows(() => encodeAlone(serde, "a", SITE), SchemaPending);
  assertEquals(
    pending.message,
    "The schema of the value of orders under orders-value is on its way",
  );
  await pending.ready;
  assertEquals([...encodeAlone(serde, "a", SITE)], [...WRITTEN]);
});

test("avro without registration refuses a subject that has no such schema", async () => {
  const registry = new MockSchemaRegistry();
  const serde = avro("string", { registry, autoRegisterSchemas: false });
  await assertRejects(() => serde.prepare!(SITE), SchemaRegistryError, "not found");
  assertThrows(() => encodeAlone(serde, "a", SITE), SerializationException, "under orders-value");
  registry.register("orders-value", TEXT);
  await serde.prepare!(SITE);
  assertEquals(read(serde, encodeAlone(serde, "a", SITE)), "a");
});

const record = (...fields: object[]) => ({ type: "record", name: "Order", fields });
const ID = { name: "id", type: "string" };
const NOTE = { name: "note", type: "string", default: "none" };

for (
  const [what, options] of [
    ["the subject's newest version", { useLatestVersion: true }],
    ["the schema of a given id", { useSchemaId: -1 }],
  ] as const
) {
  test(`avro writes with ${what} on request`, async () => {
    const registry = new MockSchemaRegistry();
    const id = registry.register("orders-value", {
      ...TEXT,
      schema: JSON.stringify(record(ID, NOTE)),
    });
    const chosen = "useSchemaId" in options ? { useSchemaId: id } : options;
    const serde = avro<any>(record(ID), { registry, ...chosen });
    await serde.prepare!(SITE);
    const bytes = encodeAlone(serde, { id: "a" }, SITE);
    const newer = avro<any>(record(ID, NOTE), { registry });
    assertEquals({ ...read(newer, bytes) }, { id: "a", note: "none" });
    assertEquals({ ...read(serde, bytes) }, { id: "a" });
  });
}

test("avro is prepared for what older versions of the application wrote into its stores", async () => {
  const shared = new MockSchemaRegistry();
  const before = avro<any>(record(ID, { name: "gone", type: "int" }), { registry: later(shared) });
  const store: SerdeSite = { topic: "app-store-changelog", isKey: false, headerless: true };
  await before.prepare!(store);
  const stored = encodeAlone(before, { id: "a", gone: 1 }, store);
  const now = avro<any>(record(ID, NOTE), { registry: later(shared) });
  await now.prepare!(store);
  const value = now.decode(stored, 0, stored.length, store);
  assertEquals({ ...value }, { id: "a", note: "none" });
});

test("avro registers nothing where it only reads, and needs not wait there for what is registered", async () => {
  const shared = new MockSchemaRegistry();
  const writer = avro<any>(record(ID, NOTE), { registry: shared });
  const bytes = encodeAlone(writer, { id: "a", note: "b" }, SITE);
  const registry = later(shared);
  const projection = avro<any>(record(ID), { registry });
  await projection.prepare!(SITE, "read");
  await list(projection).prepare!(SITE, "read");
  assertEquals({ ...read(projection, bytes) }, { id: "a" });
  assertEquals([shared.versions("orders-value"), registry.asked], [[1], ["versions", "version"]]);
  await projection.prepare!({ ...SITE, topic: "unheard" }, "read");
});

test("avro reads and writes schemas that refer to others, which refer to others", async () => {
  const registry = new MockSchemaRegistry();
  const city = { type: "record", name: "geo.City", fields: [ID] };
  const home = { type: "record", name: "geo.Home", fields: [{ name: "city", type: "geo.City" }] };
  const person = { type: "record", name: "Person", fields: [{ name: "home", type: "geo.Home" }] };
  const ofCity = { name: "geo.City", subject: "city", version: 1 };
  const ofHome = { name: "geo.Home", subject: "home", version: 1 };
  registry.register("city", { ...TEXT, schema: JSON.stringify(city) });
  registry.register("home", { ...TEXT, schema: JSON.stringify(home), references: [ofCity] });
  const references = [{ ...ofCity, schema: city }, { ...ofHome, schema: home }];
  const writer = avro<any>(person, { registry, references });
  await writer.prepare!(SITE);
  const bytes = encodeAlone(writer, { home: { city: { id: "Bonn" } } }, SITE);
  assertEquals(registry.latest("orders-value").references.length, 2);
  const whole = {
    ...person,
    fields: [{ name: "home", type: { ...home, fields: [{ name: "city", type: city }] } }],
  };
  assertEquals(read(avro<any>(whole, { registry }), bytes).home.city.id, "Bonn");
});

test("avro reads and writes the schema's GUID in a header, and the bare payload", () => {
  const registry = new MockSchemaRegistry();
  const serde = avro<string>("string", { registry, schemaIdIn: "header" });
  for (const isKey of [false, true]) {
    const site = { topic: "orders", isKey };
    const bytes = encodeAlone(serde, "a", site);
    assertEquals([...bytes], [2, 0x61]);
    const headers = serde.headersOf!("a", site, Headers.EMPTY);
    const value = headers.last(isKey ? "__key_schema_id" : "__value_schema_id")!;
    assertEquals([headers.size, value.length, value[0]], [1, 17, 1]);
    const other = avro<string>("string", { registry });
    assertEquals(other.decode(bytes, 0, bytes.length, site, headers), "a");
  }
});

test("avro writes the id before the payload where no headers travel: in stores and in lists", () => {
  const registry = new MockSchemaRegistry();
  const serde = avro<string>("string", { registry, schemaIdIn: "header" });
  const store = { ...SITE, headerless: true };
  const bytes = encodeAlone(serde, "a", store);
  assertEquals([bytes.length, serde.decode(bytes, 0, bytes.length, store)], [7, "a"]);
  const several = list(serde);
  const listed = encodeAlone(several, ["a", null, "b"], SITE);
  assertEquals(several.decode(listed, 0, listed.length, SITE), ["a", null, "b"]);
});

test("avro within a windowed key has its header written and read", () => {
  const registry = new MockSchemaRegistry();
  const serde = timeWindowed(avro<string>("string", { registry, schemaIdIn: "header" }), 10);
  const site = { topic: "orders", isKey: true };
  const key = new Windowed("a", 0, 10);
  const bytes = encodeAlone(serde, key, site);
  const headers = serde.headersOf!(key, site, Headers.EMPTY);
  assertEquals(serde.decode(bytes, 0, bytes.length, site, headers), key);
});

test("avro takes away the schema id that an input's header carried", () => {
  const registry = new MockSchemaRegistry();
  const input = Headers.EMPTY.add("trace", "1").add("__value_schema_id", new Uint8Array(17));
  for (const schemaIdIn of ["prefix", "header"] as const) {
    const serde = avro("string", { registry, schemaIdIn });
    const headers = serde.headersOf!("a", SITE, input);
    const ids = [...headers].filter((h) => h.name === "__value_schema_id");
    assertEquals([headers.lastText("trace"), ids.length], ["1", schemaIdIn === "header" ? 1 : 0]);
  }
  const other = Headers.EMPTY.add("trace", "1");
  assert(avro("string", { registry }).headersOf!("a", SITE, other) === other);
});

test("avro refuses at the start to write a header when the registry tells no GUID", async () => {
  const serde = avro("string", { registry: new SlowRegistry(TEXT), schemaIdIn: "header" });
  await assertRejects(() => serde.prepare!(SITE), SerializationException, "tells no GUID for id 1");
});
