import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ManualClock } from "../../lib/record/time.ts";
import { SchemaRegistryError } from "../../lib/serde/registry.ts";
import {
  SchemaRegistryClient,
  type SchemaRegistryOptions,
} from "../../lib/serde/schema_registry_client.ts";

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
