/**
 * Which room may import which, as data (lib/DESIGN.md, "Rooms"), with the few exceptions and why each is one.
 *
 * @module
 */

/** What a room may import: a whole room by its name, or single files of it, its contract. */
export type Allowed = Readonly<Record<string, "all" | readonly string[]>>;

// The transport's contract, and the pure data formats that stand on both sides of it. Never a client.
const KAFKA_CONTRACT = ["client.ts", "headers.ts", "murmur2.ts", "produce_batch.ts"];
// What a topology has to know of stores: their contracts and how they are declared. Never an engine.
const STATE_CONTRACT = ["store.ts", "store_definition.ts", "suppliers.ts"];

/** Where the rooms are put together: these may import anything. `streams.ts` gives the runtime its clients and its clock, `worker.ts` a thread. */
export const ASSEMBLIES: readonly string[] = ["cli", "streams", "worker"];

/** The table. A room that is neither in it nor an assembly may import nothing. */
export const ROOMS: Readonly<Record<string, Allowed>> = {
  errors: {},
  record: { errors: "all" },
  serde: { errors: "all", record: "all", telemetry: ["tracing.ts"] },
  telemetry: { errors: "all", record: "all" },
  config: { errors: "all", record: "all" },
  kafka: { errors: "all", record: "all", telemetry: "all" },
  state: { errors: "all", record: "all", serde: "all", telemetry: "all" },
  topology: { errors: "all", record: "all", serde: "all", state: STATE_CONTRACT },
  dsl: { errors: "all", record: "all", serde: "all", state: "all", topology: "all" },
  runtime: {
    errors: "all",
    record: "all",
    serde: "all",
    telemetry: "all",
    config: "all",
    kafka: KAFKA_CONTRACT,
    state: "all",
    topology: "all",
  },
  admin: {
    errors: "all",
    record: "all",
    telemetry: "all",
    config: "all",
    topology: "all",
    runtime: "all",
    state: [...STATE_CONTRACT, "query.ts"],
  },
  testing: {
    errors: "all",
    record: "all",
    serde: "all",
    topology: "all",
    runtime: "all",
    // It stands in for the broker: it makes consumed batches and reads produced ones.
    kafka: KAFKA_CONTRACT,
    // The stores of a driven topology live in memory.
    state: [...STATE_CONTRACT, "memory_environment.ts", "cache_budget.ts"],
  },
};

/** Files that may read the clock and set timers. */
export const CLOCKS: readonly string[] = [
  "lib/record/time.ts",
  // The text of a page: its script runs in the browser.
  "lib/admin/page_script.ts",
];

/** Files outside `cli` and `telemetry` that may print. */
export const PRINTERS: readonly string[] = [
  // KStream.print() writes to standard output, as in Kafka Streams.
  "lib/dsl/processors/kstream_peek.ts",
  // A program of its own: `deno task native`.
  "lib/kafka/native/build.ts",
];

/** Files that may use `Deno.*` or `Bun.*`: what differs between the runtimes is met in them. `cli` may too. */
export const RUNTIME_ADAPTERS: readonly string[] = [];

/** Words that say nothing about what a thing is. */
export const EMPTY_WORDS: readonly string[] = [
  "util",
  "utils",
  "helper",
  "helpers",
  "common",
  "manager",
  "internal",
  "base",
  "impl",
];

/** Names with such a word that mean something: Kafka's own terms. */
export const TERMS: readonly RegExp[] = [/internal_?topics?/i];

/** Lines that a file may have at most. */
export const MAX_LINES = 500;
