// What functions must not give, and records must not be: known only while records are processed.
import { test } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  AsyncFunctionError,
  defineTopology,
  failOnInvalidTimestamp,
  long,
  type StreamsBuilder,
  string,
  topic,
  TopologyTestDriver,
  usePartitionTimeOnInvalidTimestamp,
} from "../../../mod.ts";
import type { TimestampExtractor } from "../../../mod.ts";

const lines = topic("lines", { key: string(), value: string() });
const other = topic("other", { key: string(), value: string() });
const out = topic("out", { key: string(), value: string() });
const nothing: any = null;
const extracting = (timestampExtractor: TimestampExtractor) => ({ ...lines, timestampExtractor });

interface RunningMisuse {
  readonly that: string;
  /** What the message, or that of the cause, says. */
  readonly says: string;
  readonly define: (builder: StreamsBuilder) => void;
  /** Piped with key `a`, or with null, at that time. */
  readonly record?: readonly [key: string | null, timestamp: number];
}

const CASES: readonly RunningMisuse[] = [
  {
    that: "map that gives null",
    says: "Cannot map a record as the mapper must give [key, value]: current value is null",
    define: (b) => b.stream(lines).map(() => nothing).to(out as any),
  },
  {
    that: "map that gives a key alone",
    says: "Cannot map a record as the mapper must give [key, value]: current value is key",
    define: (b) => b.stream(lines).map(() => "key" as any).to(out as any),
  },
  {
    that: "flatMap that gives null",
    says: "current value is null",
    define: (b) => b.stream(lines).flatMap(() => nothing).to(out as any),
  },
  {
    that: "flatMap that gives something else than pairs",
    says: "Cannot map a record as the mapper must give [key, value]: current value is 1",
    define: (b) => b.stream(lines).flatMap(() => [1] as any).to(out as any),
  },
  {
    that: "flatMapValues that gives null",
    says: "current value is null",
    define: (b) => b.stream(lines).flatMapValues(() => nothing).to(out as any),
  },
  {
    that: "a sink's chooser that gives null",
    says: "current value is null",
    define: (b) => b.stream(lines).to(() => nothing),
  },
  {
    that: "a timestamp before the epoch",
    says: "has invalid (negative) timestamp",
    define: (b) => b.stream(lines.topic, extracting(failOnInvalidTimestamp)).to(out as any),
    record: ["a", -1],
  },
  {
    that: "a timestamp before the epoch when no partition time is known",
    says: "because partition time is unknown",
    define: (b) =>
      b.stream(lines.topic, extracting(usePartitionTimeOnInvalidTimestamp)).to(out as any),
    record: ["a", -1],
  },
];

/** What piping a record throws, with its causes. */
function failure({ define, record: [key, timestamp] = ["a", 0] }: RunningMisuse): Error[] {
  using driver = new TopologyTestDriver(defineTopology(define));
  const errors: Error[] = [];
  try {
    driver.createInputTopic("lines", lines).pipe(key, "x", { timestamp });
  } catch (error) {
    for (let e = error as Error | undefined; e !== undefined; e = e.cause as Error | undefined) {
      errors.push(e);
    }
  }
  return errors;
}

for (const misuse of CASES) {
  test(`A running topology refuses ${misuse.that}`, () => {
    const errors = failure(misuse);
    assert(errors.length > 0, "nothing was thrown");
    assertStringIncludes(errors.map((e) => e.message).join("\n"), misuse.says);
  });
}

/** Functions that give a Promise, step by step. */
const later: any = () => Promise.resolve(1);
const PROMISES: Readonly<Record<string, (b: StreamsBuilder) => unknown>> = {
  filter: (b) => b.stream(lines).filter(later).to(out as any),
  map: (b) => b.stream(lines).map(later).to(out as any),
  mapValues: (b) => b.stream(lines).mapValues(later).to(out as any),
  flatMapValues: (b) => b.stream(lines).flatMapValues(later).to(out as any),
  selectKey: (b) => b.stream(lines).selectKey(later).to(out as any),
  foreach: (b) => b.stream(lines).foreach(later),
  peek: (b) => b.stream(lines).peek(later).to(out as any),
  split: (b) => b.stream(lines).split({ one: later }),
  reduce: (b) => b.stream(lines).groupByKey().aggregate(() => 0, later, { value: long() }),
  initializer: (b) => b.stream(lines).groupByKey().aggregate(later, () => 0, { value: long() }),
  join: (b) => b.stream(lines).leftJoin(b.table(other), later).to(out as any),
};

for (const [step, define] of Object.entries(PROMISES)) {
  test(`A running topology refuses a Promise of ${step} by name`, () => {
    const errors = failure({ that: step, says: "", define: (b) => void define(b) });
    assertEquals(errors.some((e) => e instanceof AsyncFunctionError), true, String(errors[0]));
  });
}
