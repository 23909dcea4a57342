import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import {
  NOT_PUT,
  type StateEnvironment,
  type VersionedKeyValueStore,
} from "../../lib/state/store.ts";
import { versionedKeyValueStoreBuilder } from "../../lib/state/stores.ts";
import {
  inMemoryVersionedKeyValueStore,
  persistentVersionedKeyValueStore,
} from "../../lib/state/suppliers.ts";
import { type Random, seededRandom } from "../support/random.ts";
import {
  hex,
  restoreRows,
  type TestContext,
  testContext,
  testEnvironments,
  text,
} from "./support.ts";

const RETENTION = 100;
const SERDES = { key: text, value: text };

function openStore(
  environment: StateEnvironment,
  retention = RETENTION,
  name = "v",
): { readonly store: VersionedKeyValueStore<string, string>; readonly context: TestContext } {
  const supplier = persistentVersionedKeyValueStore(name, {
    historyRetentionMs: retention,
    segmentIntervalMs: 30,
  });
  const store = versionedKeyValueStoreBuilder(supplier, SERDES).build();
  const context = testContext(environment);
  store.init(context);
  return { store, context };
}

const shown = (record: { value: string; timestamp: number; validTo?: number } | null) =>
  record === null ? null : `${record.value}@${record.timestamp}-${record.validTo ?? ""}`;

for (const { name, open, remove } of testEnvironments()) {
  test(`versioned store (${name}) gives the version that was valid at a time, and what put returns`, () => {
    const environment = open();
    environment.wipe();
    const { store, context } = openStore(environment);
    assertEquals(store.put("k", "a", 10), -1);
    assertEquals(store.put("k", "c", 30), -1);
    assertEquals(store.put("k", "b", 20), 30);
    assertEquals(store.put("k", null, 40), -1);
    assertEquals(store.put("k", "d", 35), 40);
    assertEquals(store.get("k"), null);
    assertEquals([9, 10, 19, 20, 30, 34, 35, 40, 99].map((at) => shown(store.get("k", at))), [
      null,
      "a@10-20",
      "a@10-20",
      "b@20-30",
      "c@30-35",
      "c@30-35",
      "d@35-40",
      null,
      null,
    ]);
    assertEquals(shown(store.delete("k", 35)), "d@35-40");
    assertEquals(store.get("k", 36), null);
    assertEquals(store.put("k", "e", 50), -1);
    assertEquals([...store.history("k", 20, 50)].map(shown), ["e@50-", "c@30-35", "b@20-30"]);
    assertEquals([...store.history("k", 0, 29, true)].map(shown), ["a@10-20", "b@20-30"]);
    assertEquals(
      context.logged.map(({ value, timestamp }) => [hex(value), timestamp]),
      [["61", 10], ["63", 30], ["62", 20], ["null", 40], ["64", 35], ["null", 35], ["65", 50]],
    );
    environment.close({ clean: true });
  });

  test(`versioned store (${name}) refuses what is older than the history retention, and never forgets the latest`, () => {
    const environment = open();
    environment.wipe();
    const { store, context } = openStore(environment);
    store.put("old", "1", 10);
    store.put("k", "1", 20);
    store.put("k", "2", 150);
    assertEquals(store.put("k", "late", 49), NOT_PUT);
    assertEquals(store.delete("k", 49), null);
    assertEquals(store.put("k", "just", 50), 150);
    assertEquals(context.drops, ["expired", "expired"]);
    assertEquals(shown(store.get("old")), "1@10-");
    assertEquals(shown(store.get("old", 20)), "1@10-");
    assertEquals(store.get("k", 49), null);
    assertEquals(shown(store.get("k", 50)), "just@50-150");
    // Refused rows are logged all the same, as in Kafka Streams.
    assertEquals(context.logged.length, 6);
    environment.close({ clean: true });
  });

  test(`versioned store (${name}) removes versions that have expired`, () => {
    const environment = open();
    environment.wipe();
    const { store } = openStore(environment);
    for (let time = 0; time < 2_000; time += 10) {
      store.put("k", `${time}`, time);
      environment.commit(new Map());
    }
    environment.commit(new Map());
    const left = environment.open("v:history").approximateCount();
    assertEquals(left >= 10 && left <= 16, true, `${left} rows`);
    environment.close({ clean: true });
  });

  test(`versioned store (${name}) does as a list of versions does, and so does its restored copy`, () => {
    const random = seededRandom(`versioned store (${name})`);
    const environment = open();
    environment.wipe();
    const { store, context } = openStore(environment, 100_000);
    againstModel(store, environment, random);
    const { store: copy } = openStore(environment, 100_000, "copy");
    copy.restore(restoreRows(context.logged), 0, context.logged.length);
    for (const key of ["a", "aa", "b"]) {
      assertEquals(
        [...copy.history(key, 0, 1_000)].map(shown),
        [...store.history(key, 0, 1_000)].map(shown),
      );
    }
    environment.close({ clean: true });
  });
  test(`${name} is removed`, remove);
}

function againstModel(
  store: VersionedKeyValueStore<string, string>,
  environment: StateEnvironment,
  random: Random,
): void {
  const rows = new Map<string, { at: number; value: string | null }[]>(
    ["a", "aa", "b"].map((key) => [key, []]),
  );
  for (let step = 0; step < 2_000; step++) {
    const key = random.pick(["a", "aa", "b"]);
    const versions = rows.get(key)!;
    const at = random.int(0, 500);
    const action = random.int(0, 10);
    if (action < 5) {
      const value = random.chance(0.25) ? null : `${step}`;
      const next = versions.find((version) => version.at > at)?.at ?? -1;
      const index = versions.findIndex((version) => version.at >= at);
      const replaces = index >= 0 && versions[index].at === at;
      // With nothing before it, the deletion of the only latest version leaves no trace.
      const isForgotten = value === null && replaces && next === -1 &&
        versions[index].value !== null && index === 0;
      if (isForgotten) versions.splice(index, 1);
      else versions.splice(index < 0 ? versions.length : index, replaces ? 1 : 0, { at, value });
      assertEquals(store.put(key, value, at), next, `step ${step}`);
    } else if (action < 6) environment.commit(new Map());
    else if (action < 8) {
      const version = versions.findLast((each) => each.at <= at);
      const next = version && versions[versions.indexOf(version) + 1];
      const expected = version?.value ? `${version.value}@${version.at}-${next?.at ?? ""}` : null;
      assertEquals(shown(store.get(key, at)), expected, `step ${step}, ${key} at ${at}`);
      const latest = versions.at(-1);
      assertEquals(store.get(key)?.value ?? null, latest?.value ?? null, `step ${step}`);
    } else {
      const to = at + random.int(0, 100);
      const expected = versions.flatMap((version, i) => {
        const next = versions[i + 1]?.at;
        const isValid = version.at <= to && (next === undefined || next > at);
        return isValid && version.value !== null
          ? [`${version.value}@${version.at}-${next ?? ""}`]
          : [];
      });
      assertEquals([...store.history(key, at, to, true)].map(shown), expected, `step ${step}`);
      assertEquals([...store.history(key, at, to)].map(shown), expected.reverse(), `step ${step}`);
    }
  }
}

test("versionedKeyValueStoreBuilder refuses a cache, and asks for a compaction lag", () => {
  const builder = versionedKeyValueStoreBuilder(
    inMemoryVersionedKeyValueStore("v", { historyRetentionMs: 5 }),
    SERDES,
  );
  assertThrows(() => builder.withCachingEnabled(), TypeError, "do not support caching");
  assertEquals(builder.changelogPolicy, {
    cleanup: "compact",
    minCompactionLagMs: 86_400_005,
  });
});
