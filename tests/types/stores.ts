/** Stores of processors, queries and contexts: what the compiler knows and refuses. Checked by `deno check`; never run. */
import {
  type FixedKeyProcessor,
  type FixedKeyProcessorContext,
  inMemorySessionStore,
  inMemoryWindowStore,
  json,
  type KafkaStreams,
  keyQuery,
  type KeyValueStore,
  keyValueStoreBuilder,
  long,
  lruMap,
  MockProcessorContext,
  multiVersionedKeyQuery,
  onlyAnswer,
  persistentKeyValueStore,
  persistentVersionedKeyValueStore,
  rangeQuery,
  sessionsOfKeyQuery,
  type SessionStore,
  sessionStoreBuilder,
  StreamRecord,
  string,
  timestampedKeyQuery,
  timestampedKeyValueStoreBuilder,
  timestampedWindowStoreBuilder,
  Topology,
  TopologyTestDriver,
  ValueAndTimestamp,
  versionedKeyQuery,
  versionedKeyValueStoreBuilder,
  type VersionedRecord,
  Windowed,
  windowKeyQuery,
  windowRangeQuery,
  windowStoreBuilder,
} from "../../mod.ts";
import {
  builder,
  holds,
  type KeyOf,
  type Order,
  orders,
  type Same,
  type ValueOf,
} from "./fixture.ts";

const serdes = { key: string(), value: long() };
const window = inMemoryWindowStore("w", { retentionMs: 10, windowSizeMs: 10 });
const stores = {
  counts: keyValueStoreBuilder(persistentKeyValueStore("counts"), serdes),
  recent: timestampedKeyValueStoreBuilder(lruMap("recent", 100), serdes),
  windows: windowStoreBuilder(window, serdes),
  timed: timestampedWindowStoreBuilder(window, serdes),
  sessions: sessionStoreBuilder(inMemorySessionStore("s", { retentionMs: 10 }), serdes),
  history: versionedKeyValueStoreBuilder(
    persistentVersionedKeyValueStore("h", { historyRetentionMs: 10 }),
    serdes,
  ),
};

/** A processor with one store of each kind, all typed by their builders. */
export function connected(): void {
  const result = builder.stream(orders).process({
    stores,
    key: long(),
    value: string(),
    process({ key, value, timestamp }, ctx) {
      const { counts, recent, windows, timed, sessions, history } = ctx.stores;
      const count: number | null = counts.get(key);
      recent.put(key, new ValueAndTimestamp(count ?? 0, timestamp));
      windows.put(key, value.amount, timestamp);
      timed.put(key, new ValueAndTimestamp(value.amount, timestamp), timestamp);
      sessions.put(new Windowed(key, 0, timestamp), value.amount);
      history.put(key, value.amount, timestamp);
      for (const [id, n] of counts.prefixScan("a", string())) ctx.forward(record(n, id));
      for (const [session, n] of sessions.backwardFetch(key)) {
        ctx.forward(record(n + session.start, session.key));
      }
      const version: VersionedRecord<number> | null = history.get(key, timestamp);
      // @ts-expect-error keys of the store are texts
      counts.get(1);
      // @ts-expect-error values have timestamps
      recent.put(key, 1);
      // @ts-expect-error a version has a timestamp
      history.put(key, 1);
      // @ts-expect-error a prefix that is no bytes needs a serde
      counts.prefixScan("a");
      // @ts-expect-error what is forwarded has the serdes' types
      ctx.forward(record(version?.value ?? 0, key).withKey("text"));
    },
  });
  holds<Same<KeyOf<typeof result>, number>>();
  holds<Same<ValueOf<typeof result>, string>>();
}
const record = (key: number, value: string) => new StreamRecord(key, value, 0);

class Totals implements FixedKeyProcessor<string, Order, number> {
  #context!: FixedKeyProcessorContext<string, number>;
  #store!: KeyValueStore<string, number>;
  init(context: FixedKeyProcessorContext<string, number>): void {
    this.#context = context;
    this.#store = context.getStateStore("counts");
  }
  process(record: Parameters<FixedKeyProcessor<string, Order, number>["process"]>[0]): void {
    this.#context.forward(record.withValue(this.#store.get(record.key) ?? record.value.amount));
    // @ts-expect-error the values that are forwarded are numbers
    this.#context.forward(record);
  }
}

export function suppliers(): void {
  const totals = builder.stream(orders).processValues({
    get: () => new Totals(),
    stores: () => [stores.counts],
  });
  holds<Same<ValueOf<typeof totals>, number>>();
  // @ts-expect-error the processor takes orders
  builder.stream(orders).mapValues((order) => order.id).processValues(() => new Totals());
  new Topology().addStateStore(stores.counts, "p");
  // @ts-expect-error a supplier is no store builder
  new Topology().addStateStore(persistentKeyValueStore("counts"), "p");
  // @ts-expect-error a window store's supplier cannot make key-value stores
  keyValueStoreBuilder(window, serdes);
  // @ts-expect-error a session store's supplier is needed
  sessionStoreBuilder(window, serdes);
  // @ts-expect-error a store needs both serdes
  keyValueStoreBuilder(persistentKeyValueStore("x"), { key: string() });
}

/** A query's answer has its type, over all partitions. */
export async function queries(streams: KafkaStreams, driver: TopologyTestDriver): Promise<void> {
  const counted = driver.query({ store: "counts", query: keyQuery<string, number>("a") });
  const only = onlyAnswer(counted);
  holds<Same<typeof only, number | undefined>>();
  for (const answer of counted.values()) {
    if (!answer.ok) holds<Same<typeof answer.message, string>>();
    else holds<Same<typeof answer.result, number | null>>();
  }
  const ranged = await streams.query({
    store: "counts",
    query: rangeQuery<string, number>({ from: "a", order: "descending" }),
    partitions: [0],
    bound: { orders: { 0: 17 } },
  });
  for (const answer of ranged.values()) {
    if (answer.ok) holds<Same<typeof answer.result, [string, number][]>>();
  }
  const timed = driver.query({ store: "c", query: timestampedKeyQuery<string, Order>("a") });
  holds<
    Same<
      NonNullable<ReturnType<typeof onlyAnswer<ValueAndTimestamp<Order> | null>>>,
      ValueAndTimestamp<Order>
    >
  >();
  const order: number | undefined = onlyAnswer(timed)?.value.amount;
  const windows = driver.query({
    store: "w",
    query: windowKeyQuery<string, number>("a", 0, order ?? 1),
  });
  for (const [start, n] of onlyAnswer(windows) ?? []) holds<Same<typeof n, typeof start>>();
  const all = driver.query({ store: "w", query: windowRangeQuery<string, number>(0, 1) });
  for (const [{ key }] of onlyAnswer(all) ?? []) holds<Same<typeof key, string>>();
  driver.query({ store: "s", query: sessionsOfKeyQuery<string, number>("a") });
  driver.query({ store: "h", query: versionedKeyQuery<string, number>("a", 5) });
  driver.query({ store: "h", query: multiVersionedKeyQuery<string, number>("a", { from: 1 }) });
  // @ts-expect-error the key is a text
  keyQuery<string, number>(1);
  // @ts-expect-error there is no such order
  rangeQuery<string, number>({ order: "backwards" });
  // @ts-expect-error a query names its store
  driver.query({ query: keyQuery("a") });
  const sessions: SessionStore<string, number> | undefined = driver.getSessionStore("s");
  sessions?.fetchKeys("a", null);
}

export function mocks(): void {
  const context = new MockProcessorContext<string, number>();
  const store = context.addStateStore(stores.counts);
  const count: number | null = store.get("a");
  context.forward(new StreamRecord("a", count ?? 0, 0));
  holds<Same<(typeof context.forwarded)[number]["record"]["value"], number>>();
  // @ts-expect-error values that are forwarded are numbers
  context.forward(new StreamRecord("a", "b", 0));
  const input = new TopologyTestDriver(new Topology()).createInputTopic("in", {
    key: string(),
    value: json<Order>(),
  });
  // @ts-expect-error a value of the topic is an order
  input.pipe("a", { id: "1" });
  // @ts-expect-error keys are texts
  input.pipeRecords([new StreamRecord(1, null, 0)]);
}
