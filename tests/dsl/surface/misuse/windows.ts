import {
  hopping,
  inMemoryKeyValueStore,
  inMemorySessionStore,
  inMemoryStores,
  inMemoryWindowStore,
  long,
  session,
  sessionWindowed,
  sliding,
  type StreamsBuilder,
  string,
  timeWindowed,
  tumbling,
  unlimited,
  Windowed,
  within,
} from "../../../../mod.ts";
import { lines, nothing } from "./fixture.ts";
import type { Misuse } from "./misuse.ts";

const grouped = (b: StreamsBuilder) => b.stream(lines).groupByKey();

/** Windows, and how long their stores keep them. */
export const WINDOWS: readonly Misuse[] = [
  {
    that: "windows that are none",
    java: [
      "TimeWindowedKStreamImpl: windows can't be null",
      "SlidingWindowedKStreamImpl: windows can't be null",
      "SessionWindowedKStreamImpl: windows can't be null",
    ],
    error: "TypeError",
    says:
      'Cannot group by windows as these must be made by tumbling, hopping, sliding, session or unlimited: current value is {"size":1}',
    build: (b) => grouped(b).windowedBy({ size: 1 } as any),
  },
  {
    that: "cogrouped windows that are none",
    java: [
      "CogroupedKStreamImpl: windows can't be null",
      "CogroupedKStreamImpl: slidingWindows can't be null",
      "CogroupedKStreamImpl: sessionWindows can't be null",
    ],
    error: "TypeError",
    says:
      "Cannot group by windows as these must be made by tumbling, hopping, sliding, session or unlimited: current value is null",
    build: (b) => grouped(b).cogroup((_: number) => 1).windowedBy(nothing),
  },
  {
    that: "a window of no length",
    java: ["TimeWindows: Window size (sizeMs) must be larger than zero."],
    error: "RangeError",
    says: "Cannot make windows as size must be whole milliseconds, at least 1: current value is 0",
    build: () => tumbling({ size: 0 }),
  },
  {
    that: "a length that is no number",
    java: ["ApiUtils: messagePrefix + VALIDATE_MILLISECOND_NULL_SUFFIX"],
    error: "RangeError",
    says:
      "Cannot make windows as size must be whole milliseconds, at least 1: current value is null",
    build: () => tumbling({ size: nothing }),
  },
  {
    that: "a length beyond what a number holds",
    java: ["ApiUtils: messagePrefix + VALIDATE_MILLISECOND_OVERFLOW_SUFFIX, e"],
    error: "RangeError",
    says:
      "Cannot make windows as size must be whole milliseconds, at least 1: current value is 1152921504606847000",
    build: () => tumbling({ size: 2 ** 60 }),
  },
  {
    that: "an advance of nothing",
    java: [
      "TimeWindows: Window advancement interval should be more than zero …and less than window duration which is %d ms, but given advancement interval is: %d ms",
    ],
    error: "RangeError",
    says:
      "Cannot make windows as advance must be whole milliseconds, at least 1: current value is 0",
    build: () => hopping({ size: 10, advance: 0 }),
  },
  {
    that: "an advance beyond the length",
    java: [
      "TimeWindows: Window advancement interval should be more than zero …and less than window duration which is %d ms, but given advancement interval is: %d ms",
    ],
    error: "RangeError",
    says: "Cannot make windows as advance must lie in (0, 10], the size: current value is 11",
    build: () => hopping({ size: 10, advance: 11 }),
  },
  {
    that: "a negative grace of windows",
    java: ["TimeWindows: Grace period must not be negative."],
    error: "RangeError",
    says:
      "Cannot make windows as grace must be whole milliseconds, at least 0: current value is -1",
    build: () => tumbling({ size: 10, grace: -1 }),
  },
  {
    that: "a negative difference of sliding windows",
    java: ["SlidingWindows: Window time difference must not be negative."],
    error: "RangeError",
    says:
      "Cannot make windows as timeDifference must be whole milliseconds, at least 0: current value is -1",
    build: () => sliding({ timeDifference: -1 }),
  },
  {
    that: "a negative grace of sliding windows",
    java: ["SlidingWindows: Window grace period must not be negative."],
    error: "RangeError",
    says:
      "Cannot make windows as grace must be whole milliseconds, at least 0: current value is -1",
    build: () => sliding({ timeDifference: 1, grace: -1 }),
  },
  {
    that: "a negative gap of sessions",
    java: ["SessionWindows: Gap time cannot be negative."],
    error: "RangeError",
    says: "Cannot make windows as gap must be whole milliseconds, at least 0: current value is -1",
    build: () => session({ gap: -1 }),
  },
  {
    that: "a negative grace of sessions",
    java: ["SessionWindows: Grace period cannot be negative."],
    error: "RangeError",
    says:
      "Cannot make windows as grace must be whole milliseconds, at least 0: current value is -1",
    build: () => session({ gap: 1, grace: -1 }),
  },
  {
    that: "unlimited windows from before the epoch",
    java: ["UnlimitedWindows: Window start time (startMs) cannot be negative."],
    error: "RangeError",
    says:
      "Cannot make windows as start must be whole milliseconds, at least 0: current value is -1",
    build: () => unlimited({ start: -1 }),
  },
  {
    that: "join windows that end before they begin",
    java: ["JoinWindows: Window interval (ie, beforeMs+afterMs) must not be negative."],
    error: "RangeError",
    says: "Cannot make join windows as before + after must not be negative: current value is -1",
    build: () => within({ before: 1, after: -2 }),
  },
  {
    that: "a negative time difference of join windows",
    java: ["JoinWindows: Window interval (ie, beforeMs+afterMs) must not be negative."],
    error: "RangeError",
    says: "Cannot make join windows as before + after must not be negative: current value is -2",
    build: () => within({ timeDifference: -1 }),
  },
  {
    that: "a negative grace of join windows",
    java: ["JoinWindows: Grace period must not be negative."],
    error: "RangeError",
    says:
      "Cannot make windows as grace must be whole milliseconds, at least 0: current value is -1",
    build: () => within({ timeDifference: 1, grace: -1 }),
  },
  {
    that: "join windows of nothing",
    error: "RangeError",
    says:
      "Cannot make join windows as timeDifference, before or after must be given: current value is none of them",
    build: () => within({}),
  },
  {
    that: "a windowed key from before the epoch",
    java: ["Window: Window startMs time cannot be negative."],
    error: "RangeError",
    says:
      "Cannot make a window as it must not begin before 0, and not end before it begins: current value is -1 to 1",
    build: () => new Windowed("a", -1, 1),
  },
  {
    that: "a windowed key that ends before it begins",
    java: ["Window: Window endMs time cannot be smaller than window startMs time."],
    error: "RangeError",
    says:
      "Cannot make a window as it must not begin before 0, and not end before it begins: current value is 2 to 1",
    build: () => new Windowed("a", 2, 1),
  },
  {
    that: "a serde of windowed keys without the key's serde",
    java: [
      "WindowedSerdes: Inner serializer is `null`. …User code must use constructor `…(final Serializer<T> inner)` …instead of the no-arg constructor.",
      "WindowedSerdes: Inner deserializer is `null`. …User code must use constructor `…(final Deserializer<T> inner)` …instead of the no-arg constructor.",
    ],
    error: "TypeError",
    says:
      "Cannot make the serde timeWindowed as it needs the serde of the key without its window, such as string(): current value is null",
    build: () => timeWindowed(nothing, 10),
  },
  {
    that: "a serde of sessions' keys without the key's serde",
    java: [
      "SessionWindowedDeserializer: Inner class deserializer should be set either via constructor …or via the … config",
      "SessionWindowedSerializer: Inner class serializer should be set either via constructor …or via the … config",
    ],
    error: "TypeError",
    says:
      "Cannot make the serde sessionWindowed as it needs the serde of the key without its window, such as string(): current value is null",
    build: () => sessionWindowed(nothing),
  },
  {
    that: "a serde of windowed keys without the windows' length",
    java: [
      "TimeWindowedDeserializer: Window size needs to be set either through the time windowed deserializer …constructor or the window.size.ms config but not both",
    ],
    error: "RangeError",
    says:
      "Cannot make the serde timeWindowed as the windows' size must be whole milliseconds, at least 0: current value is null",
    build: () => timeWindowed(string(), nothing),
  },
  {
    that: "unlimited windows that are emitted on close",
    java: [
      "TimeWindowedKStreamImpl: ON_WINDOW_CLOSE emit strategy cannot be used for UnlimitedWindows",
    ],
    error: "RangeError",
    says:
      "Cannot emit on window close as unlimited windows never close: current value is onWindowClose. Emit on window update, or use other windows",
    build: (b) => grouped(b).windowedBy(unlimited()).emitStrategy("onWindowClose"),
  },
  {
    that: "an emit strategy that is none",
    java: ["EmitStrategy: Code … for type … has already been used"],
    error: "RangeError",
    says:
      'Cannot emit results as the strategy must be "onWindowUpdate" or "onWindowClose": current value is "sometimes"',
    build: (b) => grouped(b).windowedBy(tumbling({ size: 1 })).emitStrategy("sometimes" as any),
  },
  {
    that: "an emit strategy of sessions that is none",
    error: "RangeError",
    says:
      'Cannot emit results as the strategy must be "onWindowUpdate" or "onWindowClose": current value is null',
    build: (b) => grouped(b).windowedBy(session({ gap: 1 })).emitStrategy(nothing),
  },
  {
    that: "a retention below size and grace",
    java: [
      "WindowStoreMaterializer: The retention period of the window store … must be no smaller than its window size plus the grace period.… Got size=[…],… grace=[…],… retention=[…]",
    ],
    error: "RangeError",
    says:
      "Cannot keep the windows of store KSTREAM-AGGREGATE-STATE-STORE-0000000002 as its retention must be at least their length and grace, 15 ms: current value is 14 ms",
    build: (b) => grouped(b).windowedBy(tumbling({ size: 10, grace: 5 })).count({ retention: 14 }),
  },
  {
    that: "a retention below twice the difference and grace",
    java: [
      "SlidingWindowStoreMaterializer: The retention period of the window store … must be no smaller than 2 * time difference plus the grace period.… Got time difference=[…],… grace=[…],… retention=[…]",
    ],
    error: "RangeError",
    says:
      "Cannot keep the windows of store KSTREAM-AGGREGATE-STATE-STORE-0000000001 as its retention must be at least their length and grace, 25 ms: current value is 24 ms",
    build: (b) =>
      grouped(b).windowedBy(sliding({ timeDifference: 10, grace: 5 })).count({ retention: 24 }),
  },
  {
    that: "a retention below gap and grace",
    java: [
      "SessionStoreMaterializer: The retention period of the session store … must be no smaller than the session inactivity gap plus the… grace period.… Got gap=[…],… grace=[…],… retention=[…]",
    ],
    error: "RangeError",
    says:
      "Cannot keep the windows of store KSTREAM-AGGREGATE-STATE-STORE-0000000002 as its retention must be at least their length and grace, 15 ms: current value is 14 ms",
    build: (b) => grouped(b).windowedBy(session({ gap: 10, grace: 5 })).count({ retention: 14 }),
  },
  {
    that: "a negative retention",
    java: ["Materialized: Retention must not be negative."],
    error: "RangeError",
    says: "Cannot keep results as the retention must not be negative: current value is -1",
    build: (b) => grouped(b).windowedBy(tumbling({ size: 10 })).count({ retention: -1 }),
  },
  {
    that: "a supplier that keeps windows for too short",
    error: "RangeError",
    says:
      "Cannot keep the windows of store w as its retention must be at least their length and grace, 20 ms: current value is 10 ms",
    build: (b) =>
      grouped(b).windowedBy(tumbling({ size: 10, grace: 10 })).count({
        store: inMemoryWindowStore("w", { retentionMs: 10, windowSizeMs: 10 }),
      }),
  },
  {
    that: "a supplier that keeps sessions for too short",
    error: "RangeError",
    says:
      "Cannot keep the windows of store s as its retention must be at least their length and grace, 20 ms: current value is 10 ms",
    build: (b) =>
      grouped(b).windowedBy(session({ gap: 10, grace: 10 })).count({
        store: inMemorySessionStore("s", { retentionMs: 10 }),
      }),
  },
  {
    that: "a key-value store for windows",
    error: "TypeError",
    says:
      "Cannot keep windows in the store s as its supplier must be of kind window: current value is keyValue",
    build: (b) =>
      grouped(b).windowedBy(tumbling({ size: 10 })).count({
        store: inMemoryKeyValueStore("s") as any,
      }),
  },
  {
    that: "a window store for rows without windows",
    error: "TypeError",
    says:
      "Cannot keep rows without windows in the store s as its supplier must be of kind keyValue or versioned: current value is window",
    build: (b) =>
      grouped(b).count({
        store: inMemoryWindowStore("s", { retentionMs: 1, windowSizeMs: 1 }) as any,
      }),
  },
  {
    that: "a supplier and a choice of suppliers",
    java: ["Materialized: Cannot set store type when store supplier is pre-configured."],
    error: "RangeError",
    says:
      "Cannot choose the stores of s as its supplier is given already: current value is both store and stores",
    build: (b) => b.table(lines, { store: inMemoryKeyValueStore("s"), stores: inMemoryStores }),
  },
  {
    that: "a store that is neither a name nor a supplier",
    java: ["Materialized: supplier can't be null"],
    error: "TypeError",
    says:
      'Cannot keep results as store must be a name or a supplier, such as persistentKeyValueStore("name"): current value is 3',
    build: (b) => b.table(lines, { store: 3 as any }),
  },
  {
    that: "a choice of suppliers that is none",
    java: ["Materialized: store type can't be null"],
    error: "TypeError",
    says:
      "Cannot keep results as stores must be lmdbStores, inMemoryStores or other suppliers: current value is memory",
    build: (b) => b.table(lines, { stores: "memory" as any }),
  },
  {
    that: "an aggregate without a serde",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build the aggregate as its value has to be written and no serde is known for it: current value is undefined. Give { value: … } there, or withSerdes({ … }) before it",
    build: (b) => grouped(b).aggregate(() => 0, (n: number) => n, {} as any),
  },
  {
    that: "a serde that is none",
    error: "TypeError",
    says:
      "Cannot build the aggregate as its value must be a serde, such as string() or json(): current value is a function. Call it",
    build: (b) => grouped(b).aggregate(() => 0, (n: number) => n, { value: long as any }),
  },
];
