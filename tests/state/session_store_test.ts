import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { Windowed } from "../../lib/record/windowed.ts";
import type { CachedStateStore, SessionStore, StateEnvironment } from "../../lib/state/store.ts";
import { sessionStoreBuilder } from "../../lib/state/stores.ts";
import { persistentSessionStore, type WindowOrder } from "../../lib/state/suppliers.ts";
import { type Random, seededRandom } from "../support/random.ts";
import {
  hex,
  restoreRows,
  type TestContext,
  testContext,
  testEnvironments,
  text,
  utf8,
} from "./support.ts";

const SERDES = { key: text, value: text };
const MINUTE = 60_000;
const RETENTION = 2 * MINUTE;

function openStore(
  environment: StateEnvironment,
  options: { readonly cacheBytes?: number; readonly order?: WindowOrder } = {},
): { readonly store: SessionStore<string, string>; readonly context: TestContext } {
  const { cacheBytes, order } = options;
  const supplier = persistentSessionStore("s", { retentionMs: RETENTION, order });
  const builder = sessionStoreBuilder(supplier, SERDES);
  const store = (cacheBytes === undefined ? builder : builder.withCachingEnabled()).build();
  const context = testContext(environment, { cacheBytes });
  store.init(context);
  return { store, context };
}

const shown = (rows: Iterable<[Windowed<string>, string]>) =>
  [...rows].map(([{ key, start, end }, value]) => `${key}@${start}/${end}=${value}`);

for (const { name, open, remove } of testEnvironments()) {
  for (const cacheBytes of [undefined, 1_000_000, 900]) {
    for (const order of ["key", "time"] as const) {
      const title = `session store (${name}, cache ${cacheBytes ?? "off"}, by ${order})`;

      test(`${title} finds the sessions that a record may join`, () => {
        const environment = open();
        environment.wipe();
        const { store } = openStore(environment, { cacheBytes, order });
        store.put(new Windowed("a", 0, 10), "1");
        store.put(new Windowed("a", 20, 30), "2");
        store.put(new Windowed("aa", 20, 30), "x");
        store.put(new Windowed("a", 5, 25), "3");
        store.put(new Windowed("a", 100, 200), "4");
        store.remove(new Windowed("a", 100, 200));
        assertEquals(shown(store.findSessions("a", 10, 20)), [
          "a@0/10=1",
          "a@5/25=3",
          "a@20/30=2",
        ]);
        assertEquals(shown(store.findSessions("a", 11, 19)), ["a@5/25=3"]);
        assertEquals(shown(store.backwardFindSessions("a", 0, 1000)), [
          "a@20/30=2",
          "a@5/25=3",
          "a@0/10=1",
        ]);
        assertEquals(shown(store.fetch("aa")), ["aa@20/30=x"]);
        assertEquals(store.fetchSession("a", 5, 25), "3");
        assertEquals(store.fetchSession("a", 100, 200), null);
        assertEquals(shown(store.findSessionsOfKeys("a", "aa", 26, 1000)), [
          "a@20/30=2",
          "aa@20/30=x",
        ]);
        assertEquals(shown(store.backwardFindSessionsOfKeys("a", "aa", 26, 1000)), [
          "aa@20/30=x",
          "a@20/30=2",
        ]);
        assertEquals(shown(store.backwardFetch("a")), shown(store.fetch("a")).reverse());
        assertEquals(shown(store.fetchKeys(null, "a")), shown(store.fetch("a")));
        assertEquals(
          shown(store.backwardFetchKeys(null, null)),
          ["aa@20/30=x", ...shown(store.backwardFetch("a"))],
        );
        assertEquals(shown(store.findSessionsByEnd(10, 30)), [
          "a@0/10=1",
          "a@5/25=3",
          "a@20/30=2",
          "aa@20/30=x",
        ]);
        environment.close({ clean: true });
      });

      test(`${title} does as a list of sessions does`, () => {
        const random = seededRandom(title);
        const environment = open();
        environment.wipe();
        const opened = openStore(environment, { cacheBytes, order });
        againstModel(opened.store, environment, random);
        opened.store.flush();
        environment.commit(new Map());
        const again = openStore(environment, { cacheBytes, order }).store;
        for (const key of ["a", "aa", "b"]) {
          assertEquals(shown(again.fetch(key)), shown(opened.store.fetch(key)));
        }
        const logged = new Map(
          opened.context.logged.map(({ key, value }) => [hex(key), hex(value)]),
        );
        const rest = [...logged.values()].filter((value) => value !== "null");
        assertEquals(rest.length, [...opened.store.all()].length);
        environment.close({ clean: true });
      });
    }
  }

  test(`session store (${name}) drops and counts sessions that have expired`, () => {
    const environment = open();
    environment.wipe();
    const { store, context } = openStore(environment);
    store.put(new Windowed("k", 0, MINUTE - 1), "old");
    store.put(new Windowed("k", 0, RETENTION + MINUTE), "new");
    store.put(new Windowed("k", 1, MINUTE - 1), "late");
    assertEquals(context.drops, ["expired"]);
    assertEquals(shown(store.all()), [`k@0/${RETENTION + MINUTE}=new`]);
    environment.close({ clean: true });
  });

  test(`session store (${name}) restores rows of its changelog`, () => {
    const environment = open();
    environment.wipe();
    const { store, context } = openStore(environment);
    store.put(new Windowed("k", 1, 2), "a");
    store.put(new Windowed("k", 3, 4), "b");
    store.remove(new Windowed("k", 1, 2));
    const rows = restoreRows(context.logged);
    environment.wipe();
    const { store: target } = openStore(environment, { order: "time" });
    target.restore(rows, 0, 3);
    assertEquals(shown(target.all()), ["k@3/4=b"]);
    assertEquals(shown(target.findSessionsByEnd(0, 9)), ["k@3/4=b"]);
    environment.close({ clean: true });
  });
  test(`${name} is removed`, remove);
}

function againstModel(
  store: SessionStore<string, string>,
  environment: StateEnvironment,
  random: Random,
): void {
  const model = new Map<string, { session: Windowed<string>; value: string }>();
  const forwarded = new Map<string, string>();
  (store as unknown as CachedStateStore<Windowed<string>, string>).setFlushListener(
    ({ key, value: { newValue, oldValue } }) => {
      assertEquals(oldValue, forwarded.get(`${key}`) ?? null, `old value of ${key}`);
      if (newValue === null) {
        assertEquals(forwarded.delete(`${key}`), true, "a deletion of nothing");
      } else forwarded.set(`${key}`, newValue);
    },
    true,
  );
  const place = ({ session }: { session: Windowed<string> }) =>
    [session.end, session.start].map((time) => time.toString(16).padStart(16, "0")).join("");
  const expected = (keep: (session: Windowed<string>) => boolean, byKey: boolean) =>
    [...model.values()].filter(({ session }) => keep(session))
      .sort((a, b) => {
        const [x, y] = [a, b].map((row) => (byKey ? hex(utf8(row.session.key)) : "") + place(row));
        return x < y ? -1 : 1;
      }).map(({ session: { key, start, end }, value }) => `${key}@${start}/${end}=${value}`);
  for (let step = 0; step < 1_500; step++) {
    const action = random.int(0, 20);
    const key = random.pick(["a", "aa", "b"]);
    const start = random.int(0, 40);
    const session = new Windowed(key, start, start + random.int(0, 10));
    if (action < 7) {
      store.put(session, `${step}`);
      model.set(`${session}`, { session, value: `${step}` });
    } else if (action < 12) {
      const there = [...model.values()].filter((row) => row.session.key === key);
      const gone = there.length > 0 ? random.pick(there).session : session;
      store.remove(gone);
      model.delete(`${gone}`);
    } else if (action < 14) {
      store.flush();
      environment.commit(new Map());
    } else if (action < 16) {
      const row = model.get(`${session}`);
      assertEquals(store.fetchSession(key, session.start, session.end), row?.value ?? null);
    } else {
      const [earliestEnd, latestStart] = [random.int(0, 45), random.int(0, 45)];
      const joins = ({ start, end }: Windowed<string>) =>
        end >= earliestEnd && start <= latestStart;
      const ofKey = expected((s) => s.key === key && joins(s), false);
      const message = `step ${step}`;
      assertEquals(shown(store.findSessions(key, earliestEnd, latestStart)), ofKey, message);
      assertEquals(
        shown(store.backwardFindSessions(key, earliestEnd, latestStart)),
        ofKey.reverse(),
        message,
      );
      assertEquals(
        shown(store.findSessionsOfKeys(null, "aa", earliestEnd, latestStart)),
        expected((s) => s.key !== "b" && joins(s), true),
        message,
      );
      assertEquals(
        shown(store.backwardFindSessionsOfKeys("aa", null, earliestEnd, latestStart)),
        expected((s) => s.key !== "a" && joins(s), true).reverse(),
        message,
      );
    }
  }
  store.flush();
  assertEquals(shown(store.all()), expected(() => true, true));
}

test("session store logs key, end and start", () => {
  const [memory] = testEnvironments();
  const { store, context } = openStore(memory.open());
  context.record.timestamp = 9;
  store.put(new Windowed("k", 1, 2), "v");
  store.remove(new Windowed("k", 1, 2));
  assertEquals(
    context.logged.map(({ key, value, timestamp }) => [hex(key), hex(value), timestamp]),
    [["6b00000000000000020000000000000001", "76", 9], [
      "6b00000000000000020000000000000001",
      "null",
      9,
    ]],
  );
});
