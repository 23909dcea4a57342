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
import { type ModelVersion, VersionedStoreModel } from "./versioned_model.ts";

const RETENTION = 100;
const SEGMENT_MS = 30;
const SERDES = { key: text, value: text };

function openStore(
  environment: StateEnvironment,
  retention = RETENTION,
  name = "v",
): { readonly store: VersionedKeyValueStore<string, string>; readonly context: TestContext } {
  const supplier = persistentVersionedKeyValueStore(name, {
    historyRetentionMs: retention,
    segmentIntervalMs: SEGMENT_MS,
  });
  const store = versionedKeyValueStoreBuilder(supplier, SERDES).build();
  const context = testContext(environment);
  store.init(context);
  return { store, context };
}

const shown = (record: ModelVersion | null | undefined) =>
  !record ? null : `${record.value}@${record.timestamp}-${record.validTo ?? ""}`;

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
    environment.save();
    const left = environment.open("v:history").approximateCount();
    assertEquals(left >= 10 && left <= 16, true, `${left} rows`);
    environment.close({ clean: true });
  });

  test(`versioned store (${name}) does as Kafka Streams' segments do, and so does its restored copy`, () => {
    const random = seededRandom(`versioned store (${name})`);
    const environment = open();
    environment.wipe();
    for (let round = 0; round < 40; round++) {
      const retention = random.pick([0, 20, 100, 100_000]);
      const { store, context } = openStore(environment, retention, `v${round}`);
      againstModel(store, environment, random, retention);
      const { store: copy } = openStore(environment, retention, `copy${round}`);
      copy.restore(restoreRows(context.logged), 0, context.logged.length);
      for (const key of ["a", "aa", "b"]) {
        assertEquals(shown(copy.get(key)), shown(store.get(key)));
        assertEquals(
          [...copy.history(key, 0, 1_000)].map(shown),
          [...store.history(key, 0, 1_000)].map(shown),
        );
      }
    }
    environment.close({ clean: true });
  });

  test(`versioned store (${name}) notes no deletion of a version that came after a deletion`, () => {
    const environment = open();
    environment.wipe();
    const { store } = openStore(environment, 100_000);
    const puts: [string | null, number][] = [[null, 19], ["14", 22], [null, 22], ["-3", 21]];
    assertEquals(puts.map(([value, at]) => store.put("k", value, at)), [-1, -1, -1, -1]);
    assertEquals(shown(store.get("k")), "-3@21-");
    // A deletion that was there before the version is still there after it.
    assertEquals([null, "b", null].map((value) => store.put("l", value, 20)), [-1, -1, -1]);
    assertEquals(store.put("l", "a", 15), 20);
    // So is one that ends a version, or a deletion that is not the latest.
    for (const [value, at] of [["a", 10], ["c", 20], [null, 15], [null, 20]] as const) {
      store.put("m", value, at);
    }
    assertEquals(store.put("m", "b", 17), 20);
    environment.close({ clean: true });
  });
  test(`${name} is removed`, remove);
}

function againstModel(
  store: VersionedKeyValueStore<string, string>,
  environment: StateEnvironment,
  random: Random,
  retention: number,
): void {
  const model = new VersionedStoreModel(retention, SEGMENT_MS);
  const keys = ["a", "aa", "b"].slice(0, random.int(1, 4));
  const span = random.pick([10, 100, 500]);
  const [chanceOfNull, isMoving] = [random.pick([0.25, 0.6]), random.chance(0.5)];
  const puts: string[] = [];
  for (let step = 0; step < 200; step++) {
    const key = random.pick(keys);
    const row = model.row(key);
    const at = random.int(0, span) + (isMoving ? step : 0);
    const what = () => `${puts.join(" ")}: ${key} at ${at}`;
    const action = random.int(0, 10);
    if (action < 6) {
      const value = random.chance(chanceOfNull) ? null : `${step}`;
      const expected = model.put(key, value, at);
      puts.push(`${key}=${value}@${at}`);
      assertEquals(store.put(key, value, at), expected, what());
    } else if (action < 7) environment.commit(new Map());
    else if (action < 9) {
      assertEquals(shown(store.get(key, at)), shown(row.get(at)), what());
      assertEquals(shown(store.get(key)), shown(row.get()), what());
    } else {
      const to = Math.max(at, model.time - retention) + random.int(0, 100);
      const expected = row.history(at, to).map(shown);
      assertEquals([...store.history(key, at, to)].map(shown), expected, what());
      assertEquals([...store.history(key, at, to, true)].map(shown), expected.reverse(), what());
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
