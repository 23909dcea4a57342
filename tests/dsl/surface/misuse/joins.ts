import { inMemoryWindowStore, StreamsBuilder, string, within } from "../../../../mod.ts";
import { both, identity, lines, nothing, other, versioned } from "./fixture.ts";
import type { Misuse } from "./misuse.ts";

const windows = within({ timeDifference: 5 });
const duplicates = (name: string) =>
  inMemoryWindowStore(name, { retentionMs: 10, windowSizeMs: 10, retainDuplicates: true });
const needs = (what: string) =>
  `Cannot add the step join as it needs the function ${what}: current value is null`;

/** Joins of streams and tables. */
export const JOINS: readonly Misuse[] = [
  {
    that: "a join with nothing that can be joined",
    error: "TypeError",
    says:
      "Cannot add the step join as the other side must be a KStream, KTable or GlobalKTable: current value is Object",
    build: (b) => (b.stream(lines) as any).join({}, identity, both),
  },
  {
    that: "a join of a stream with null",
    java: [
      "KStreamImpl: table cannot be null",
      "KStreamImpl: globalTable cannot be null",
      "KStreamImpl: otherStream cannot be null",
    ],
    error: "TypeError",
    says:
      "Cannot add the step join as the other side must be a KStream, KTable or GlobalKTable: current value is null",
    build: (b) => b.stream(lines).join(nothing, both),
  },
  {
    that: "an outer join of a stream with a table",
    error: "TypeError",
    says:
      "Cannot add the step outerJoin as the other side must be a KStream: current value is KTable",
    build: (b) => (b.stream(lines) as any).outerJoin(b.table(other), both),
  },
  {
    that: "a join with a table without a joiner",
    java: ["KStreamImpl: joiner cannot be null", "AbstractStream: joiner cannot be null"],
    error: "TypeError",
    says: needs("joiner"),
    build: (b) => b.stream(lines).join(b.table(other), nothing),
  },
  {
    that: "a join of streams without a joiner",
    java: ["KStreamImpl: joiner cannot be null"],
    error: "TypeError",
    says: needs("joiner"),
    build: (b) => b.stream(lines).join(b.stream(other), nothing, windows),
  },
  {
    that: "a join with a global table without a joiner",
    java: ["KStreamImpl: joiner cannot be null"],
    error: "TypeError",
    says: needs("joiner"),
    build: (b) => b.stream(lines).join(b.globalTable(other), identity, nothing),
  },
  {
    that: "a join with a global table without a mapper of keys",
    java: ["KStreamImpl: keySelector cannot be null"],
    error: "TypeError",
    says: needs("keyMapper"),
    build: (b) => b.stream(lines).join(b.globalTable(other), nothing, both),
  },
  {
    that: "streams that are joined without windows",
    java: ["KStreamImpl: windows cannot be null"],
    error: "TypeError",
    says: "Cannot join streams as the windows must be made by within: current value is null",
    build: (b) => b.stream(lines).join(b.stream(other), both, nothing),
  },
  {
    that: "streams of two builders that are joined",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot add the step join as both sides must come from one builder: current value is two builders. Make both by the same StreamsBuilder",
    build: (b) => b.stream(lines).join(elsewhere().stream(other), both, windows),
  },
  {
    that: "streams of two builders that are merged",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot add the step merge as both sides must come from one builder: current value is two builders. Make both by the same StreamsBuilder",
    build: (b) => b.stream(lines).merge(elsewhere().stream(other)),
  },
  {
    that: "tables of two builders that are joined",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot add the step join as both sides must come from one builder: current value is two builders. Make both by the same StreamsBuilder",
    build: (b) => b.table(lines).join(elsewhere().table(other), both),
  },
  {
    that: "join stores that share a name",
    java: [
      "KStreamImplJoin: Both StoreSuppliers have the same name. StoreSuppliers must provide unique names",
    ],
    error: "StreamsException",
    says:
      "Cannot join streams as both stores must have names of their own: current value is s for both",
    build: (b) => {
      const store = duplicates("s");
      b.stream(lines).join(b.stream(other), both, windows, { thisStore: store, otherStore: store });
    },
  },
  {
    that: "a join store that keeps no duplicates",
    java: [
      "KStreamImplJoin: The StoreSupplier must set retainDuplicates=true, found retainDuplicates=false",
    ],
    error: "StreamsException",
    says:
      "Cannot join streams with the store s as it must keep duplicates: current value is retainDuplicates false",
    build: (b) => {
      const thisStore = inMemoryWindowStore("s", { retentionMs: 10, windowSizeMs: 10 });
      b.stream(lines).join(b.stream(other), both, windows, { thisStore });
    },
  },
  {
    that: "a join store of other windows",
    java: [
      "KStreamImplJoin: Window settings mismatch. WindowBytesStoreSupplier settings %s must match JoinWindows settings %s… for the window size and retention period",
    ],
    error: "StreamsException",
    says:
      "Cannot join streams with the store s as its window size must be 10 ms and its retention 12 ms, those of the windows: current value is 10 ms and 10 ms",
    build: (b) => {
      const grace = within({ timeDifference: 5, grace: 2 });
      b.stream(lines).join(b.stream(other), both, grace, { thisStore: duplicates("s") });
    },
  },
  {
    that: "a grace with a table that keeps no versions",
    java: [
      "KStreamImpl: KTable must be versioned to use a grace period in a stream table join.",
      "StreamTableJoinNode: KTable must be versioned to use a grace period in a stream table join.",
      "KStreamKTableJoinProcessor: KTable must be versioned to use a grace period in a stream table join.",
    ],
    error: "RangeError",
    says:
      "Cannot join with a grace as the table must keep versions: current value is KTABLE-SOURCE-0000000003 without a versioned store. Give it { store: persistentVersionedKeyValueStore(…) }",
    build: (b) => b.stream(lines).join(b.table(other), both, { grace: 1 }),
  },
  {
    that: "a grace longer than the versions are kept",
    java: ["StreamTableJoinNode: History retention must be at least grace period."],
    error: "RangeError",
    says:
      "Cannot join with a grace of 1001 ms as the table must keep versions for at least that long: current value is 1000 ms in history",
    build: (b) => b.stream(lines).join(b.table(other, { store: versioned }), both, { grace: 1001 }),
  },
  {
    that: "a negative grace",
    error: "RangeError",
    says: "Cannot join with a grace as it must not be negative: current value is -1",
    build: (b) => b.stream(lines).join(b.table(other, { store: versioned }), both, { grace: -1 }),
  },
  {
    that: "a join of a table with null",
    java: ["KTableImpl: other can't be null"],
    error: "TypeError",
    says: "Cannot add the step join as the other side must be a KTable: current value is null",
    build: (b) => b.table(lines).join(nothing, both),
  },
  {
    that: "a join of a table with a stream",
    error: "TypeError",
    says: "Cannot add the step join as the other side must be a KTable: current value is KStream",
    build: (b) => b.table(lines).join(b.stream(other) as any, both),
  },
  {
    that: "a join of tables without a joiner",
    java: ["KTableImpl: joiner can't be null"],
    error: "TypeError",
    says: needs("joiner"),
    build: (b) => b.table(lines).join(b.table(other), nothing),
  },
  {
    that: "a join by a foreign key without a joiner",
    java: ["KTableImpl: joiner can't be null"],
    error: "TypeError",
    says: needs("joiner"),
    build: (b) => b.table(lines).join(b.table(other), identity, nothing, { value: string() }),
  },
  {
    that: "a join by a foreign key without one",
    java: ["KTableImpl: foreignKeyExtractor can't be null"],
    error: "TypeError",
    says: needs("foreignKey"),
    build: (b) => b.table(lines).join(b.table(other), nothing, both, { value: string() }),
  },
  {
    that: "a join by a foreign key with null",
    java: ["KTableImpl: foreignKeyTable can't be null"],
    error: "TypeError",
    says: "Cannot add the step join as the other side must be a KTable: current value is null",
    build: (b) => b.table(lines).join(nothing, identity, both, { value: string() }),
  },
  {
    that: "a join by a foreign key without a serde for its result",
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build the store s as its value has to be written and no serde is known for it: current value is undefined. Give { value: … } there, or withSerdes({ … }) before it",
    build: (b) => b.table(lines).join(b.table(other), identity, both, { store: "s" } as any),
  },
  {
    that: "a join by a foreign key with an empty name",
    java: ["Named: Name is illegal, it can't be empty"],
    error: "TopologyException",
    says: 'Invalid topology: Cannot use a name as it must not be empty: current value is ""',
    build: (b) =>
      b.table(lines).join(b.table(other), identity, both, { name: "", value: string() }),
  },
];

function elsewhere(): StreamsBuilder {
  return new StreamsBuilder();
}
