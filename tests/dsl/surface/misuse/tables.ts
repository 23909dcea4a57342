import { type StreamsBuilder, tumbling } from "../../../../mod.ts";
import { lines, nothing, versioned } from "./fixture.ts";
import type { Misuse } from "./misuse.ts";

const STEPS = [
  ["filter", "predicate"],
  ["filterNot", "predicate"],
  ["mapValues", "mapper"],
] as const;

/** Steps of tables, and suppress. */
export const TABLES: readonly Misuse[] = [
  ...STEPS.map(([step, what]) => ({
    that: `${step} of a table without a function`,
    java: [`KTableImpl: ${what} can't be null`],
    error: "TypeError",
    says: `Cannot add the step ${step} as it needs the function ${what}: current value is null`,
    build: (b: StreamsBuilder) => (b.table(lines) as any)[step](null),
  })),
  {
    that: "transformValues without a transformer",
    java: ["KTableTransformValues: transformerSupplier"],
    error: "TypeError",
    says:
      "Cannot add the step transformValues as it needs the function get: current value is undefined",
    build: (b) => b.table(lines).transformValues(nothing),
  },
  {
    that: "transformValues with a store that is not added",
    error: "TopologyException",
    says:
      "Invalid topology: StateStore missing is not added yet. Add it by addStateStore, or give its builder to the processor",
    build: (b) =>
      b.table(lines).transformValues({
        stores: ["missing"],
        get: () => ({ transform: (value: string | null) => value }),
      } as any),
  },
  {
    that: "a new key of a table's stream that no function gives",
    java: ["KTableImpl: mapper can't be null"],
    error: "TypeError",
    says: "Cannot add the step toStream as it needs the function keyMapper: current value is null",
    build: (b) => b.table(lines).toStream(nothing),
  },
  {
    that: "a store of new values without their serde",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build the store lengths as its value has to be written and no serde is known for it: current value is undefined. Give { value: … } there, or withSerdes({ … }) before it",
    build: (b) => b.table(lines).mapValues((line) => line.length, { store: "lengths" } as any),
  },
  {
    that: "final results without windows",
    java: [
      "GraphGraceSearchUtil: Window close time is only defined for windowed computations. Got […].",
    ],
    error: "TopologyException",
    says:
      'Invalid topology: Cannot suppress until windows close as there must be a windowed aggregate upstream: current value is [root->KSTREAM-SOURCE-0000000000->KSTREAM-AGGREGATE-0000000002]. Use windowedBy before, or until: "timeLimit"',
    build: (b) => (b.stream(lines).groupByKey().count() as any).final(),
  },
  {
    that: "final results behind a new key",
    java: [
      "GraphGraceSearchUtil: Window close time is only defined for windowed computations. Got […].",
    ],
    error: "TopologyException",
    says:
      'Invalid topology: Cannot suppress until windows close as there must be a windowed aggregate upstream: current value is [root->KTABLE-SOURCE-0000000002->KTABLE-SELECT-0000000003->KSTREAM-SOURCE-0000000006->KTABLE-AGGREGATE-0000000007]. Use windowedBy before, or until: "timeLimit"',
    build: (b) =>
      (b.table(lines).groupBy((text, key) => [text, key] as const, lines).count() as any).final(),
  },
  {
    that: "final results that are emitted early",
    error: "RangeError",
    says:
      "Cannot suppress until windows close as a full buffer must shut down, or results would not be final: current value is emitEarly",
    build: (b) =>
      b.stream(lines).groupByKey().windowedBy(tumbling({ size: 1 })).count()
        .suppress({ until: "windowCloses", whenFull: "emitEarly" } as any),
  },
  {
    that: "a suppress until something else",
    java: [
      "KTableImpl: Custom subclasses of Suppressed are not supported.",
      "KTableImpl: Custom subclasses of Suppressed are not allowed.",
    ],
    error: "TypeError",
    says: 'Cannot suppress as until must be "windowCloses" or "timeLimit": current value is monday',
    build: (b) => b.table(lines).suppress({ until: "monday" } as any),
  },
  {
    that: "a suppress of nothing",
    error: "TypeError",
    says:
      'Cannot suppress as it must be said until when, { until: "windowCloses" } or { until: "timeLimit", limitMs }: current value is null',
    build: (b) => b.table(lines).suppress(nothing),
  },
  {
    that: "a time limit that is not given",
    error: "TypeError",
    says: "Cannot suppress as limitMs must be given: current value is undefined",
    build: (b) => b.table(lines).suppress({ until: "timeLimit" } as any),
  },
  {
    that: "a negative time limit",
    error: "RangeError",
    says: "Cannot suppress as limitMs must not be negative: current value is -1",
    build: (b) => b.table(lines).suppress({ until: "timeLimit", limitMs: -1 }),
  },
  {
    that: "a negative buffer",
    error: "RangeError",
    says: "Cannot suppress as maxRecords must not be negative: current value is -1",
    build: (b) => b.table(lines).suppress({ until: "timeLimit", limitMs: 1, maxRecords: -1 }),
  },
  {
    that: "suppress of a versioned table",
    java: ["KTableImpl: suppress() is only supported for non-versioned KTables"],
    error: "TopologyException",
    says:
      "Invalid topology: Cannot suppress a versioned table as only tables without versions have final results: current value is KTABLE-SOURCE-0000000001",
    build: (b) => b.table(lines, { store: versioned }).suppress({ until: "timeLimit", limitMs: 1 }),
  },
  {
    that: "suppress of a table that stands on a versioned one",
    java: [
      "InternalStreamsBuilder: suppress() is only supported for non-versioned KTables …(note that version semantics might be inherited from upstream)",
    ],
    error: "TopologyException",
    says:
      "Invalid topology: Cannot suppress a versioned table as only tables without versions have final results: current value is KTABLE-SUPPRESS-0000000003 behind a versioned table",
    build: (b) =>
      b.table(lines, { store: versioned }).filter(() => true).suppress({
        until: "timeLimit",
        limitMs: 1,
      }),
  },
];
