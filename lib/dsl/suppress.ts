import type { Serde } from "../serde/serde.ts";
import { TopologyException } from "../errors.ts";
import { suppressBufferBuilder } from "../state/buffers.ts";
import type { GraphNode, Link } from "./graph.ts";
import { noteGeneratedStore } from "./materialized.ts";
import { checkName, PREFIX } from "./naming.ts";
import { KTableSuppress, type SuppressRule } from "./processors/ktable_suppress.ts";
import type { TableHandle } from "./table_handle.ts";

/** What suppress waits for. */
export type SuppressUntil = "windowCloses" | "timeLimit";

/**
 * How a table's changes are held back. Kafka Streams: `Suppressed` and its `BufferConfig`.
 *
 * `windowCloses` gives final results only: the buffer must hold them all, so it is unbounded or fails when it is full. `timeLimit` holds
 * a row back for `limitMs` (ms of stream time) after its first change; a full buffer emits its oldest rows early, or fails.
 */
export type Suppressed<Until extends SuppressUntil> =
  & {
    readonly until: Until;
    readonly name?: string;
    /** Most rows that are held back. Default: no limit. */
    readonly maxRecords?: number;
    /** Most bytes of keys and values that are held back. Default: no limit. */
    readonly maxBytes?: number;
    /** Write a changelog of the buffer; settings of its topic may be given. Default: true. */
    readonly logging?: boolean | Readonly<Record<string, string>>;
    readonly key?: Serde<any>;
    readonly value?: Serde<any>;
  }
  & (Until extends "timeLimit"
    ? { readonly limitMs: number; readonly whenFull?: "emitEarly" | "shutDown" }
    : { readonly whenFull?: "shutDown" });

/**
 * Adds a step that holds changes back. Kafka Streams: `KTableImpl.suppress`.
 *
 * @throws {TopologyException} for `windowCloses` without windows upstream, for versioned tables, and when a serde is not known
 * @throws {RangeError} when a limit is negative, or a full buffer of final results should emit early
 */
export function suppress(
  table: TableHandle,
  options: Suppressed<"windowCloses"> | Suppressed<"timeLimit">,
): TableHandle {
  const { plan } = table;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot suppress as it must be said until when, { until: "windowCloses" } or { until: "timeLimit", limitMs }: current value is ${options}`,
    );
  }
  if (table.node.traits.versioned) {
    throw new TopologyException(
      `Cannot suppress a versioned table as only tables without versions have final results: current value is ${table.name}`,
    );
  }
  const name = options.name === undefined
    ? plan.generate(PREFIX.tableSuppress)
    : checkName(options.name);
  const rule = suppressRule(table, options);
  const { logging = true } = options;
  const storeName = options.name === undefined
    ? plan.generateStore(PREFIX.tableSuppress)
    : `${options.name}-store`;
  if (options.name === undefined) noteGeneratedStore(plan, storeName, logging !== false);
  const key = plan.keySerde(options.key ?? table.key, name);
  const value = plan.valueSerde(options.value ?? table.value, name);
  const plain = suppressBufferBuilder(storeName, { key, value, engine: plan.bufferEngine });
  const store = logging === false
    ? plain.withLoggingDisabled()
    : plain.withLoggingEnabled(logging === true ? {} : logging);
  const supplier = new KTableSuppress<any, any>({ parent: table, store, rule });
  return table.step(name, supplier, {
    traits: { versioned: false, suppresses: true },
    changes: { key, value },
  });
}

function suppressRule(
  table: TableHandle,
  options: Suppressed<"windowCloses"> | Suppressed<"timeLimit">,
): SuppressRule {
  const { maxRecords, maxBytes } = options;
  notNegative("maxRecords", maxRecords);
  notNegative("maxBytes", maxBytes);
  if (options.until === "windowCloses") {
    const { whenFull = "shutDown" } = options;
    if (whenFull !== "shutDown") {
      throw new RangeError(
        `Cannot suppress until windows close as a full buffer must shut down, or results would not be final: current value is ${whenFull}`,
      );
    }
    const waitMs = findGrace(table.plan.links, table.node, "");
    return { time: "windowEnd", waitMs, maxRecords, maxBytes, whenFull, dropTombstones: true };
  }
  if (options.until !== "timeLimit") {
    throw new TypeError(
      `Cannot suppress as until must be "windowCloses" or "timeLimit": current value is ${
        (options as { until: unknown }).until
      }`,
    );
  }
  const { limitMs, whenFull = "emitEarly" } = options;
  if (limitMs === undefined) {
    throw new TypeError("Cannot suppress as limitMs must be given: current value is undefined");
  }
  notNegative("limitMs", limitMs);
  return {
    time: "recordTime",
    waitMs: limitMs,
    maxRecords,
    maxBytes,
    whenFull,
    dropTombstones: false,
  };
}

function notNegative(what: string, value: number | undefined): void {
  if (value === undefined || value >= 0) return;
  throw new RangeError(
    `Cannot suppress as ${what} must not be negative: current value is ${value}`,
  );
}

/**
 * How long (ms) after their end the windows upstream take records; of several lines the longest. Kafka Streams: `GraphGraceSearchUtil`.
 *
 * @throws {TopologyException} when a line upstream has no windows
 */
function findGrace(links: readonly Link[], node: GraphNode, chain: string): number {
  if (node.traits.graceMs !== undefined) return node.traits.graceMs;
  const way = chain === "" ? node.name : `${node.name}->${chain}`;
  const parents = links.filter((link) => link.child === node);
  let graceMs = -1;
  for (const { parent } of parents) {
    if (parent === undefined) {
      throw new TopologyException(
        `Cannot suppress until windows close as there must be a windowed aggregate upstream: current value is [root->${way}]. Use windowedBy before, or until: "timeLimit"`,
      );
    }
    graceMs = Math.max(graceMs, findGrace(links, parent, way));
  }
  return graceMs;
}
