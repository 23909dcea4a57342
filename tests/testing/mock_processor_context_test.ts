import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import {
  type FixedKeyProcessorContext,
  keyValueStoreBuilder,
  long,
  lruMap,
  MockProcessorContext,
  type Processor,
  type ProcessorContext,
  StreamRecord,
  string,
  TopologyException,
} from "../../mod.ts";

const counts = keyValueStoreBuilder(lruMap("counts", 10), { key: string(), value: long() });

class Counter implements Processor<string, string, string, number> {
  #context!: ProcessorContext<string, number>;
  init(context: ProcessorContext<string, number>): void {
    this.#context = context;
    const tick = context.schedule(100, "wall-clock-time", (now) => {
      context.commit();
      if (now > 150) tick.cancel();
    }, 50);
  }
  process(record: StreamRecord<string, string>): void {
    const context = this.#context;
    if (record.value === "late") return context.dropped("late", "too late");
    const store = context.getStateStore<ReturnType<typeof counts.build>>("counts");
    const count = (store.get(record.key) ?? 0) + 1;
    store.put(record.key, count);
    context.forward(record.withValue(count));
    if (count > 1) context.forward(record.withValue(-count), "many");
    context.pauseSources(context.currentSystemTimeMs() + count);
  }
}

test("MockProcessorContext keeps what a processor forwards, drops and commits", () => {
  const context = new MockProcessorContext<string, number>({ taskId: "1_2" });
  context.addStateStore(counts);
  const processor = new Counter();
  processor.init(context);
  context.setCurrentSystemTimeMs(1_000);
  for (const value of ["x", "late", "y"]) processor.process(new StreamRecord("a", value, 7));
  assertEquals(
    context.forwarded.map(({ record, childName }) => [record.value, record.timestamp, childName]),
    [[1, 7, undefined], [2, 7, undefined], [-2, 7, "many"]],
  );
  assertEquals(context.forwardedTo("many").map(({ record }) => record.value), [1, 2, -2]);
  assertEquals(context.forwardedTo("few").map(({ record }) => record.value), [1, 2]);
  context.resetForwards();
  assertEquals(context.forwarded, []);
  assertEquals(context.drops, [{ reason: "late", detail: "too late" }]);
  assertEquals(context.pausedUntil, 1_002);
  assertEquals([context.applicationId, context.taskId], ["mock-application", "1_2"]);
});

test("MockProcessorContext keeps schedules for the test to fire", () => {
  const context = new MockProcessorContext<string, number>();
  context.addStateStore(counts);
  new Counter().init(context);
  const [tick] = context.scheduledPunctuators;
  assertEquals([tick.intervalMs, tick.type, tick.startTimeMs], [100, "wall-clock-time", 50]);
  assertEquals(context.committed, false);
  tick.callback(100);
  assertEquals([context.committed, tick.isCancelled], [true, false]);
  context.resetCommit();
  assertEquals(context.committed, false);
  tick.callback(200);
  assertEquals(context.scheduledPunctuators[0].isCancelled, true);
});

test("MockProcessorContext says what the test set", () => {
  const context = new MockProcessorContext({
    applicationId: "app",
    stateDir: "/state",
    config: { "app.limit": 3 },
    keySerde: string(),
  });
  assertEquals(context.recordMetadata(), undefined);
  context.setRecordMetadata({ topic: "in", partition: 1, offset: 5 });
  assertEquals(context.recordMetadata(), { topic: "in", partition: 1, offset: 5 });
  context.setRecordMetadata(undefined);
  assertEquals(context.recordMetadata(), undefined);
  context.setCurrentStreamTimeMs(9);
  assertEquals(context.currentStreamTimeMs(), 9);
  assertEquals([context.setting("app.limit"), context.appConfigs()], [3, { "app.limit": 3 }]);
  context.setProcessorMetadata("m", 4);
  assertEquals([context.processorMetadata("m"), context.processorMetadata("n")], [4, undefined]);
  assertEquals([context.stateDir, context.keySerde?.name], ["/state", string().name]);
});

test("MockProcessorContext names a store that was not added", () => {
  const context = new MockProcessorContext();
  context.addStateStore(counts);
  assertThrows(
    () => context.getStateStore("other"),
    TopologyException,
    "Cannot get the store other as it was not added to the mock context: current value is [counts]. Call addStateStore before init",
  );
});

test("MockProcessorContext serves processors that cannot change the key", () => {
  const context = new MockProcessorContext<string, number>();
  const fixed: FixedKeyProcessorContext<string, number> = context;
  fixed.forward(new StreamRecord("a", 1, 0));
  assertEquals(context.forwarded.map(({ record }) => record.key), ["a"]);
});
