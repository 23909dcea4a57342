// Commits wait in memory for the disk. What is there is told by another environment, as after the death of the process.
import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { StreamsException } from "../../lib/errors.ts";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import type { OverlaidStore } from "../../lib/state/overlay.ts";
import { ResidentBudget } from "../../lib/state/resident_budget.ts";
import { UnsavedBudget } from "../../lib/state/unsaved_budget.ts";
import { seededRandom } from "../support/random.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { hex, utf8 } from "./support.ts";

const NEVER = new UnsavedBudget({ maxBytes: Infinity, maxMs: Infinity });
const row = (key: string, value: string) => `${hex(utf8(key))}=${hex(utf8(value))}`;

function onDisk(directory: string, store: string, lean: boolean) {
  const environment = new LmdbEnvironment({ directory, unsaved: NEVER });
  const rows = [...environment.open(store, { lean }).range(undefined, undefined)];
  const offset = environment.committedOffset(store);
  environment.close({ clean: false });
  return { rows: rows.map(([key, value]) => `${hex(key)}=${hex(value)}`), offset };
}

for (const lean of [false, true]) {
  const kind = lean ? "lean" : "resident";
  test(`LmdbEnvironment keeps commits of a ${kind} store from the disk until enough of them wait`, () =>
    withTempDir((directory) => {
      const unsaved = new UnsavedBudget({ maxBytes: 4_000, maxMs: Infinity });
      const environment = new LmdbEnvironment({ directory, unsaved });
      const store = environment.open("s", { lean });
      store.put(utf8("a"), utf8("1"));
      environment.commit(new Map([["s", 1]]));
      assertEquals(environment.committedOffset("s"), 1);
      // What lies there is seen by nobody else; to look would take the environment over.
      store.put(utf8("b"), new Uint8Array(5_000));
      environment.commit(new Map([["s", 2]]));
      store.put(utf8("c"), utf8("open"));
      assertEquals(onDisk(directory, "s", lean), {
        rows: [row("a", "1"), `${hex(utf8("b"))}=${hex(new Uint8Array(5_000))}`],
        offset: 2,
      });
      environment.close({ clean: false });
    }));

  test(`LmdbEnvironment loses commits of a ${kind} store that were not saved when its process dies, with their positions`, () =>
    withTempDir((directory) => {
      const environment = new LmdbEnvironment({ directory, unsaved: NEVER });
      const store = environment.open("s", { lean });
      store.put(utf8("a"), utf8("1"));
      environment.commit(new Map([["s", 1]]));
      environment.save();
      store.put(utf8("a"), utf8("2"));
      environment.commit(new Map([["s", 2]]));
      assertEquals(onDisk(directory, "s", lean), { rows: [row("a", "1")], offset: 1 });
      // The environment belongs to another now: it must not write over what that one has.
      environment.close({ clean: true });
      assertEquals(onDisk(directory, "s", lean), { rows: [row("a", "1")], offset: 1 });
    }));

  test(`LmdbEnvironment saves what was committed of a ${kind} store when it is closed, clean or not`, () =>
    withTempDir((directory) => {
      for (const clean of [false, true]) {
        const environment = new LmdbEnvironment({ directory, unsaved: NEVER });
        const store = environment.open("s", { lean });
        store.put(utf8("a"), utf8(`${clean}`));
        environment.commit(new Map([["s", clean ? 2 : 1]]));
        store.put(utf8("a"), utf8("open"));
        store.put(utf8("b"), utf8("open"));
        environment.close({ clean });
        assertEquals(onDisk(directory, "s", lean), {
          rows: [row("a", `${clean}`)],
          offset: clean ? 2 : 1,
        });
      }
    }));

  test(`LmdbEnvironment gives a ${kind} store back as it was committed, whatever came between`, () =>
    withTempDir((directory) => {
      const random = seededRandom(`unsaved ${kind}`);
      let committed = new Map<string, string>();
      let offset = 0;
      for (let life = 0; life < 12; life++) {
        const unsaved = new UnsavedBudget({ maxBytes: random.pick([0, 2_000, Infinity]) });
        const environment = new LmdbEnvironment({ directory, unsaved });
        const store = environment.open("s", { lean });
        const show = () =>
          [...store.range(undefined, undefined)].map(([key, value]) => `${hex(key)}=${hex(value)}`);
        const expected = () =>
          [...committed].sort(([a], [b]) => a < b ? -1 : 1).map(([key, value]) =>
            `${key}=${value}`
          );
        assertEquals([show(), environment.committedOffset("s") ?? 0], [expected(), offset]);
        for (let step = 0; step < 40; step++) {
          const current = new Map(committed);
          for (let i = random.int(0, 12); i > 0; i--) {
            const key = utf8(`k${random.int(0, 30)}`);
            if (random.chance(0.3)) {
              store.delete(key);
              current.delete(hex(key));
            } else {
              const value = random.bytes(random.int(0, 9));
              store.put(key, value);
              current.set(hex(key), hex(value));
            }
            if (random.chance(0.2)) {
              const asked = utf8(`k${random.int(0, 30)}`);
              assertEquals(hex(store.get(asked) ?? null), current.get(hex(asked)) ?? "null");
            }
          }
          if (random.chance(0.3)) environment.rollback();
          else {
            committed = current;
            environment.commit(new Map([["s", ++offset]]));
            if (random.chance(0.1)) environment.save();
          }
          if (random.chance(0.2)) assertEquals(show(), expected(), `life ${life}, step ${step}`);
        }
        environment.close({ clean: random.chance(0.5) });
      }
    }));
}

for (
  const [name, options] of [
    ["saves a commit that has waited long enough", {
      unsaved: new UnsavedBudget({ maxBytes: Infinity, maxMs: 0 }),
    }],
    ["with state.sync=commit saves each commit", { sync: "commit", unsaved: NEVER }],
  ] as const
) {
  test(`LmdbEnvironment ${name}`, () =>
    withTempDir((directory) => {
      const environment = new LmdbEnvironment({ directory, ...options });
      environment.open("s").put(utf8("a"), utf8("1"));
      environment.commit(new Map([["s", 1]]));
      assertEquals(onDisk(directory, "s", false), { rows: [row("a", "1")], offset: 1 });
      environment.close({ clean: true });
    }));
}

test("LmdbEnvironment refuses to save writes that are not committed", () =>
  withTempDir((directory) => {
    const environment = new LmdbEnvironment({ directory, unsaved: NEVER });
    const store = environment.open("s");
    store.put(utf8("a"), utf8("1"));
    environment.commit(new Map([["s", 1]]));
    store.put(utf8("a"), utf8("2"));
    assertThrows(() => environment.save(), StreamsException, "not committed");
    environment.saveIfDue();
    environment.close({ clean: true });
  }));

test("UnsavedBudget counts what all environments of a thread hold", () => {
  const budget = new UnsavedBudget({ maxBytes: 100 });
  const [a, b] = [{}, {}];
  budget.hold(a, 60);
  assertEquals(budget.isExceeded, false);
  budget.hold(b, 40);
  assertEquals(budget.isExceeded, true);
  budget.hold(a, 10);
  assertEquals(budget.isExceeded, false);
  budget.hold(b, 0);
  budget.hold(a, 100);
  assertEquals(budget.isExceeded, true);
});

test("LmdbEnvironment writes nothing more once it could not be wiped: positions would stand without their rows", () =>
  withTempDir((directory) => {
    const environment = new LmdbEnvironment({ directory, unsaved: NEVER });
    const [a, b] = ["a", "b"].map((name) => environment.open(name));
    a.put(utf8("k"), utf8("1"));
    environment.commit(new Map([["a", 5]]));
    const broken = () => {
      throw new Error("no space left");
    };
    Object.defineProperty(b, "wipe", { value: broken });
    assertThrows(() => environment.wipe(), Error, "no space left");
    a.put(utf8("k"), utf8("2"));
    assertThrows(
      () => {
        environment.commit(new Map([["a", 6]]));
        environment.save();
      },
      StreamsException,
      "open it again",
    );
    environment.close({ clean: true });
    assertEquals(onDisk(directory, "a", false), { rows: [], offset: undefined });
  }));

test("LmdbEnvironment counts rows that are committed and not saved, and what they take, once", () =>
  withTempDir((directory) => {
    const resident = new ResidentBudget();
    const environment = new LmdbEnvironment({ directory, unsaved: NEVER, resident });
    const store = environment.open("s") as OverlaidStore;
    const putAll = () => {
      for (let i = 0; i < 100; i++) store.put(utf8(`k${i}`), utf8("value"));
    };
    putAll();
    environment.commit(new Map());
    assertEquals([store.approximateCount(), store.residentBytes], [100, 0]);
    putAll();
    assertEquals([store.approximateCount(), store.residentBytes], [100, 0]);
    environment.rollback();
    assertEquals(store.residentBytes, 0);
    for (let i = 0; i < 100; i++) store.delete(utf8(`k${i}`));
    environment.commit(new Map());
    assertEquals([store.approximateCount(), store.residentBytes], [0, 0]);
    putAll();
    environment.commit(new Map());
    environment.save();
    assertEquals(store.approximateCount(), 100);
    assertEquals(store.residentBytes > 100 * "value".length, true);
    environment.close({ clean: true });
    const again = new LmdbEnvironment({ directory, unsaved: NEVER });
    const reopened = again.open("s");
    for (let i = 0; i < 100; i++) reopened.put(utf8(`k${i}`), utf8("other"));
    again.commit(new Map());
    assertEquals(reopened.approximateCount(), 100);
    again.close({ clean: true });
  }));
