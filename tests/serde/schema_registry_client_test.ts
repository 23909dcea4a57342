import { Buffer } from "node:buffer";
import { test } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ManualClock } from "../../lib/record/time.ts";
import { mockRegistry } from "../../lib/serde/mock_registry.ts";
import { credentials, openSchemaRegistry } from "../../lib/serde/open_registry.ts";
import { SchemaRegistryError } from "../../lib/serde/registry.ts";
import {
  SchemaRegistryClient,
  type SchemaRegistryOptions,
} from "../../lib/serde/schema_registry_client.ts";
import { withSdk } from "../support/otel.ts";

interface Asked {
  readonly url: string;
  readonly headers: Record<string, string>;
}

/** A client whose requests get these answers in turn: a status with a body, or an error. */
function client(
  answers: readonly ([number, string] | Error)[],
  options: Partial<SchemaRegistryOptions> = {},
) {
  const asked: Asked[] = [];
  const registry = new SchemaRegistryClient({
    baseURLs: ["http://one/", "http://two"],
    clock: new ManualClock(),
    fetch: ((url: string, init: RequestInit) => {
      asked.push({ url, headers: init.headers as Record<string, string> });
      const answer = answers[asked.length - 1];
      if (answer instanceof Error) return Promise.reject(answer);
      return Promise.resolve(new Response(answer[1], { status: answer[0] }));
    }) as typeof fetch,
    ...options,
  });
  return { registry, asked };
}
const SCHEMA: [number, string] = [200, JSON.stringify({ schema: '"string"' })];

test("SchemaRegistryClient tries the next address when one fails, and keeps the answer", async () => {
  const { registry, asked } = client([new TypeError("refused"), [503, "busy"], SCHEMA]);
  const found = await registry.byId(7);
  assertEquals(found, { schema: '"string"', schemaType: "AVRO", references: [] });
  assertEquals(asked.map((a) => a.url), [
    "http://one/schemas/ids/7",
    "http://two/schemas/ids/7",
    "http://one/schemas/ids/7",
  ]);
  assert(registry.byId(7) === registry.byId(7) && !(registry.byId(7) instanceof Promise));
});

test("SchemaRegistryClient stays with the address that answered", async () => {
  const { registry, asked } = client([new TypeError("refused"), SCHEMA, SCHEMA]);
  await registry.byId(1);
  await registry.byId(2);
  assertEquals(asked.map((a) => a.url.slice(0, 10)), ["http://one", "http://two", "http://two"]);
});

test("SchemaRegistryClient repeats 429 and 5xx with growing pauses, and nothing else", async () => {
  const clock = new ManualClock();
  const busy = client([[429, ""], [500, ""], [503, ""], SCHEMA], { clock });
  await busy.registry.byId(1);
  assertEquals([busy.asked.length, clock.now()], [4, 200 + 400 + 800]);
  for (const status of [400, 401, 403, 404, 409, 422]) {
    const { registry, asked } = client([[status, "{}"]]);
    const error = await assertRejects(async () => await registry.byId(1), SchemaRegistryError);
    assertEquals([error.status, error.code, asked.length], [status, status, 1]);
  }
});

test("SchemaRegistryClient asks again for what it failed to get", async () => {
  const { registry, asked } = client([[404, '{"error_code":40403}'], SCHEMA]);
  await assertRejects(async () => await registry.byId(1), SchemaRegistryError);
  await registry.byId(1);
  assertEquals(asked.length, 2);
});

test("SchemaRegistryClient keeps the GUIDs that the registry tells", async () => {
  const guid = "89791762-2336-4186-9674-299B90A802E2";
  const { registry } = client([[200, JSON.stringify({ id: 5, guid })], [200, '{"id":6}']]);
  const schema = { schema: '"string"', schemaType: "AVRO", references: [] } as const;
  assertEquals(await registry.register("a", schema), 5);
  assertEquals(await registry.register("b", schema), 6);
  assertEquals([registry.guidOf(5), registry.guidOf(6)], [guid.toLowerCase(), undefined]);
});

test("SchemaRegistryClient names subjects and ids within its context", async () => {
  const { registry, asked } = client(
    [SCHEMA, [200, JSON.stringify({ subject: ":.west:a", version: 1, id: 2, schema: "{}" })]],
    { context: "west", normalizeSchemas: true },
  );
  await registry.byId(1);
  assertEquals((await registry.latest("a")).subject, "a");
  assertEquals(asked.map((a) => a.url), [
    "http://one/schemas/ids/1?subject=%3A.west%3A",
    "http://one/subjects/%3A.west%3Aa/versions/latest",
  ]);
});

test("SchemaRegistryClient takes credentials from an address, and sends what is not Latin as UTF-8", async () => {
  const { registry, asked } = client([SCHEMA], {
    baseURLs: ["http://me:p%40ss%E2%82%AC@host/sr/"],
  });
  await registry.byId(1);
  assertEquals(asked[0].url, "http://host/sr/schemas/ids/1");
  assertEquals(
    asked[0].headers.authorization,
    `Basic ${Buffer.from("me:p@ss€").toString("base64")}`,
  );
});

test("SchemaRegistryClient refuses addresses that are none, without showing a password", () => {
  assertThrows(() => new SchemaRegistryClient({ baseURLs: [] }), TypeError, "no address is given");
  const error = assertThrows(
    () => new SchemaRegistryClient({ baseURLs: ["http://u:secret@"] }),
    TypeError,
    "must be a URL",
  );
  assert(!error.message.includes("secret"));
});

test("openSchemaRegistry gives the in-process registry for mock://, else the client", () => {
  assert(openSchemaRegistry({ baseURLs: ["mock://a"] }) === mockRegistry("a"));
  assert(openSchemaRegistry({ baseURLs: ["http://a"] }) instanceof SchemaRegistryClient);
  assertThrows(
    () => openSchemaRegistry({ baseURLs: ["mock://a", "http://b"] }),
    TypeError,
    "must stand alone",
  );
});

test("credentials are user:password, of which the password may hold colons", () => {
  assertEquals(credentials("u:p:w"), { user: "u", password: "p:w" });
  const error = assertThrows(() => credentials("secret"), TypeError, "user:password");
  assert(!error.message.includes("secret"));
});

test("SchemaRegistryClient gives up after its tries and says that nobody answered", async () => {
  const { registry, asked } = client(Array(4).fill(new TypeError("refused")));
  const error = await assertRejects(
    async () => await registry.byId(1),
    SchemaRegistryError,
    "Cannot reach the schema registry",
  );
  assertEquals([error.status, error.retriable, asked.length], [0, true, 4]);
});

test("SchemaRegistryClient asks once for what several ask at the same time", async () => {
  const { registry, asked } = client([SCHEMA]);
  await Promise.all([registry.byId(1), registry.byId(1)]);
  assertEquals(asked.length, 1);
});

test("SchemaRegistryClient sends basic or bearer credentials, and the headers of a trace", async () => {
  const basic = client([SCHEMA], {
    basicAuth: { user: "u", password: "p:w" },
    requestHeaders: () => ({ traceparent: "00-1" }),
  });
  await basic.registry.byId(1);
  assertEquals(basic.asked[0].headers.authorization, `Basic ${btoa("u:p:w")}`);
  assertEquals(basic.asked[0].headers.traceparent, "00-1");
  const bearer = client([SCHEMA], { bearerToken: "t0k" });
  await bearer.registry.byId(1);
  assertEquals(bearer.asked[0].headers.authorization, "Bearer t0k");
});

test("SchemaRegistryClient keeps credentials out of its errors", async () => {
  const { registry } = client([[401, '{"error_code":40101,"message":"Unauthorized"}']], {
    baseURLs: ["http://user:secret@host"],
    basicAuth: { user: "user", password: "secret" },
  });
  const error = await assertRejects(async () => await registry.byId(1), SchemaRegistryError);
  assert(!error.message.includes("secret"), error.message);
  assertEquals([error.status, error.code], [401, 40101]);
});

for (const body of ["<html>", '{"schema":5}', "[]", "null"]) {
  test(`SchemaRegistryClient refuses the answer ${body}`, async () => {
    const { registry } = client([[200, body]]);
    await assertRejects(
      async () => await registry.byId(1),
      SchemaRegistryError,
      "Cannot use the registry's answer",
    );
  });
}

test("SchemaRegistryClient spans each request and gives its trace on, without credentials in it", () =>
  withSdk(async (spans) => {
    const { registry, asked } = client([[503, "busy"], SCHEMA], {
      baseURLs: ["http://user:secret@one"],
    });
    await registry.byId(7);
    assertEquals(spans().map((span) => [span.name, span.attributes, span.error !== undefined]), [
      ["GET", attributesOf(503), true],
      ["GET", attributesOf(200), false],
    ]);
    assertEquals(
      asked.map(({ headers }) => headers.traceparent),
      spans().map((span) => `00-${span.traceId}-${span.spanId}-01`),
    );
  }));

const attributesOf = (status: number) => ({
  "http.request.method": "GET",
  "url.full": "http://one/schemas/ids/7",
  "http.response.status_code": status,
  ...(status === 200 ? {} : { "error.type": "SchemaRegistryError" }),
});
