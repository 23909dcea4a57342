import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { mockRegistry, MockSchemaRegistry } from "../../lib/serde/mock_registry.ts";
import { recordSchema, registryContract } from "./registry_contract.ts";

let count = 0;
const scope = new MockSchemaRegistry();
registryContract(
  "MockSchemaRegistry",
  () => Promise.resolve(scope),
  (label) => `${label}-${count++}`,
);

test("mockRegistry gives one registry for a scope and another for another", () => {
  assert(mockRegistry("a") === mockRegistry("a"));
  assert(mockRegistry("a") !== mockRegistry("b"));
});

test("MockSchemaRegistry gives the ids that another isolate's gives", () => {
  const schema = recordSchema("Agreed", { name: "x", type: "int" });
  assertEquals(
    new MockSchemaRegistry().register("s", schema),
    new MockSchemaRegistry().register("t", schema),
  );
});
