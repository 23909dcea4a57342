import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { javaHashOrder, javaStringHash } from "../../lib/topology/java_hash_order.ts";

test("javaStringHash gives what String.hashCode gives", () => {
  assertEquals(javaStringHash(""), 0);
  assertEquals(javaStringHash("hello"), 99162322);
  assertEquals(
    javaStringHash("KSTREAM-OUTERSHARED-0000000004-store"),
    javaStringHash("KSTREAM-OUTERSHARED-0000000004-store"),
  );
  assertEquals(javaStringHash("polygenelubricants"), -2147483648);
});

test("javaHashOrder gives the order that Kafka Streams 4.1 printed for stores of joins", () => {
  assertEquals(
    javaHashOrder(["KSTREAM-OUTERSHARED-0000000004-store", "KSTREAM-OUTEROTHER-0000000005-store"]),
    ["KSTREAM-OUTEROTHER-0000000005-store", "KSTREAM-OUTERSHARED-0000000004-store"],
  );
  assertEquals(
    javaHashOrder(["KSTREAM-OUTERSHARED-0000000004-store", "KSTREAM-OUTERTHIS-0000000004-store"]),
    ["KSTREAM-OUTERTHIS-0000000004-store", "KSTREAM-OUTERSHARED-0000000004-store"],
  );
  assertEquals(javaHashOrder(["op-this-join-store", "op-left-shared-join-store"]), [
    "op-left-shared-join-store",
    "op-this-join-store",
  ]);
  assertEquals(javaHashOrder(["m", "calls"]), ["calls", "m"]);
});
