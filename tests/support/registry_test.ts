import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { uniqueName } from "./kafka_broker.ts";
import { sharedRegistry } from "./registry.ts";

test("sharedRegistry registers a schema and refuses one that cannot be read by the new reader", async () => {
  const { url } = await sharedRegistry();
  const subject = `${uniqueName("orders")}-value`;
  const register = async (fields: unknown[]) => {
    const schema = JSON.stringify({ type: "record", name: "A", fields });
    const answer = await fetch(`${url}/subjects/${subject}/versions`, {
      method: "POST",
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      body: JSON.stringify({ schema }),
    });
    await answer.body?.cancel();
    return answer.status;
  };
  assertEquals(await register([{ name: "a", type: "string" }]), 200);
  assertEquals(await register([{ name: "b", type: "string" }]), 409);
});
