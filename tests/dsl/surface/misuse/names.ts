import type { StreamsBuilder } from "../../../../mod.ts";
import { both, counts, identity, lines, other } from "./fixture.ts";
import type { Misuse } from "./misuse.ts";

const named = (name: any) => (b: StreamsBuilder) => b.stream(lines).filter(() => true, { name });

/** Names of steps, stores and topics. */
export const NAMES: readonly Misuse[] = [
  {
    that: "an empty name",
    java: ["Named: Name is illegal, it can't be empty"],
    error: "TopologyException",
    says: 'Invalid topology: Cannot use a name as it must not be empty: current value is ""',
    build: named(""),
  },
  {
    that: "a name that is null",
    java: [
      "Named: name cannot be null",
      "Branched: name cannot be null",
      "InternalTopologyBuilder: name cannot be null",
    ],
    error: "TopologyException",
    says: "Invalid topology: Cannot use a name as it must not be empty: current value is null",
    build: named(null),
  },
  {
    that: 'the name "."',
    java: ['Named: Name cannot be "." or ".."'],
    error: "TopologyException",
    says:
      'Invalid topology: Cannot use a name as it must be neither "." nor "..": current value is .',
    build: named("."),
  },
  {
    that: 'the name ".."',
    java: ['Named: Name cannot be "." or ".."'],
    error: "TopologyException",
    says:
      'Invalid topology: Cannot use a name as it must be neither "." nor "..": current value is ..',
    build: named(".."),
  },
  {
    that: "a name with a blank",
    java: [
      "Named: Name \"…\" is illegal, it contains a character other than …ASCII alphanumerics, '.', '_' and '-'",
    ],
    error: "TopologyException",
    says:
      'Invalid topology: Cannot use a name as it may have only ASCII letters, digits, ".", "_" and "-": current value is a b',
    build: named("a b"),
  },
  {
    that: "a name with an umlaut",
    java: [
      "Named: Name \"…\" is illegal, it contains a character other than …ASCII alphanumerics, '.', '_' and '-'",
    ],
    error: "TopologyException",
    says:
      'Invalid topology: Cannot use a name as it may have only ASCII letters, digits, ".", "_" and "-": current value is ä',
    build: named("ä"),
  },
  {
    that: "a name of 250 characters",
    java: ["Named: Name is illegal, it can't be longer than … characters, name: "],
    error: "TopologyException",
    says:
      "Invalid topology: Cannot use a name as it must have at most 249 characters: current value is xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    build: named("x".repeat(250)),
  },
  {
    that: "a store's name with a blank",
    java: [
      "Named: Name \"…\" is illegal, it contains a character other than …ASCII alphanumerics, '.', '_' and '-'",
    ],
    error: "TopologyException",
    says:
      'Invalid topology: Cannot use a name as it may have only ASCII letters, digits, ".", "_" and "-": current value is a b',
    build: (b) => b.table(lines, { store: "a b" }),
  },
  {
    that: "a branch's name with a blank",
    error: "TopologyException",
    says:
      'Invalid topology: Cannot use a name as it may have only ASCII letters, digits, ".", "_" and "-": current value is KSTREAM-BRANCH-0000000001a b',
    build: (b) => b.stream(lines).split().branch(() => true, { name: "a b" }),
  },
  {
    that: "a repartition topic's name with a blank",
    error: "TopologyException",
    says:
      'Invalid topology: Cannot use a name as it may have only ASCII letters, digits, ".", "_" and "-": current value is a b',
    build: (b) => b.stream(lines).repartition({ name: "a b" }),
  },
  {
    that: "one name for two steps",
    java: ["InternalTopologyBuilder: Processor … is already added."],
    error: "TopologyException",
    says: "Invalid topology: Processor twice is already added. Give one of both another name",
    build: (b) =>
      b.stream(lines).filter(() => true, { name: "twice" }).peek(() => {}, { name: "twice" }),
  },
  {
    that: "one name for two stores",
    java: ["InternalTopologyBuilder: A different StateStore has already been added with the name "],
    error: "TopologyException",
    says:
      "Invalid topology: A different StateStore has already been added with the name s. Give one of both another name",
    build: (b) => (b.table(lines, { store: "s" }), b.table(other, { store: "s" })),
  },
  {
    that: "one name for a store and a global store",
    java: [
      "InternalTopologyBuilder: A different GlobalStateStore has already been added with the name ",
    ],
    error: "TopologyException",
    says:
      "Invalid topology: A different GlobalStateStore has already been added with the name s. Give one of both another name",
    build: (b) => (b.globalTable(lines, { store: "s" }), b.table(other, { store: "s" })),
  },
  {
    that: "one name for two global stores",
    java: [
      "InternalTopologyBuilder: A different GlobalStateStore has already been added with the name ",
    ],
    error: "TopologyException",
    says:
      "Invalid topology: A different GlobalStateStore has already been added with the name s. Give one of both another name",
    build: (b) => (b.globalTable(lines, { store: "s" }), b.globalTable(other, { store: "s" })),
  },
  {
    that: "one name for two repartition topics",
    error: "TopologyException",
    says:
      "Invalid topology: Processor r-repartition-filter is already added. Give one of both another name",
    build: (b) => {
      b.stream(lines).repartition({ name: "r" }).to("a");
      b.stream(other).repartition({ name: "r" }).to("b");
    },
  },
  {
    that: "generated names where they are forbidden",
    java: ["InternalTopologyBuilder: result.toString()"],
    error: "TopologyException",
    says:
      "Invalid topology: Cannot build with ensure.explicit.internal.resource.naming as each store and internal topic must have a name of the user's: current value is generated names [KSTREAM-AGGREGATE-STATE-STORE-0000000002, KSTREAM-AGGREGATE-STATE-STORE-0000000002-changelog, KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition, t-STATE-STORE-0000000008, t-STATE-STORE-0000000008-changelog]. Give { store: … } to the stores and { name: … } to grouping, joins, suppress and repartition",
    build: (b) => {
      b.addStateStore(counts());
      b.stream(lines).groupBy(identity, { key: lines.key }).count();
      b.stream(other).join(b.table("t", lines), both).to(lines);
      b.build({ "ensure.explicit.internal.resource.naming": true });
    },
  },
];
