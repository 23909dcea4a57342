import { test } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertEquals, assertThrows } from "@std/assert";
import { isInternalTopic } from "../../lib/cli/reset.ts";
import { parseDatetime, parseDuration, readResetFile } from "../../lib/cli/reset_offsets.ts";
import { ConfigException } from "../../lib/errors.ts";
import { makeTempDir } from "../support/temp_dir.ts";

for (
  const [text, ms] of [
    ["P1D", 86_400_000],
    ["PT1H30M", 5_400_000],
    ["P2DT3H4M5.5S", 183_845_500],
    ["PT0S", 0],
  ] as const
) {
  test(`parseDuration reads ${text}`, () => assertEquals(parseDuration(text), ms));
}
for (const text of ["", "P", "PT", "1D", "P1H", "P-1D"]) {
  test(`parseDuration refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => parseDuration(text), ConfigException);
  });
}

test("parseDatetime takes UTC unless an offset is given", () => {
  assertEquals(parseDatetime("2026-01-31T12:00:00.500"), Date.UTC(2026, 0, 31, 12, 0, 0, 500));
  assertEquals(parseDatetime("2026-01-31T12:00:00+02:00"), Date.UTC(2026, 0, 31, 10));
  for (const text of ["yesterday", "2026-13-01T00:00:00", "2026-01-01"]) {
    assertThrows(() => parseDatetime(text), ConfigException);
  }
});

test("readResetFile reads what kafka-consumer-groups.sh exports", () => {
  const path = join(makeTempDir("reset"), "plan.csv");
  writeFileSync(path, '"orders",0,10\npayments, 1, 20\n\n');
  assertEquals(readResetFile(path), [
    { topic: "orders", partition: 0, offset: 10 },
    { topic: "payments", partition: 1, offset: 20 },
  ]);
  writeFileSync(path, "orders,0\n");
  assertThrows(() => readResetFile(path), ConfigException);
});

for (
  const [topic, internal] of [
    ["app-counts-changelog", true],
    ["app-by-word-repartition", true],
    ["app-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000006-topic", true],
    ["app-join-subscription-response-topic", true],
    ["app-orders", false],
    ["other-counts-changelog", false],
  ] as const
) {
  test(`isInternalTopic takes ${topic} ${internal ? "for one" : "for none"} of app`, () => {
    assertEquals(isInternalTopic(topic, "app"), internal);
  });
}
