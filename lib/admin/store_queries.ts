/**
 * Questions to the stores of an application over HTTP: keys and values as JSON. They are asked of what is on this instance.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { InvalidStateStoreException, UnknownStateStoreException } from "../errors.ts";
import { Windowed } from "../record/windowed.ts";
import {
  keyQuery,
  multiVersionedKeyQuery,
  type Query,
  type QueryResult,
  rangeQuery,
  sessionsOfKeyQuery,
  timestampedKeyQuery,
  timestampedRangeQuery,
  windowKeyQuery,
  windowRangeQuery,
} from "../state/query.ts";
import { ValueAndTimestamp } from "../state/store.ts";
import type { ApplicationSource } from "./source.ts";

/** What is asked: the part of a store's address behind its name, and the parameters. */
export interface StoreQuestion {
  readonly store: string;
  /** `keys` is one key or a range, `windows`, `sessions` and `versions` are those of stores that have them. */
  readonly what: "keys" | "windows" | "sessions" | "versions" | "count";
  /** The key as text. */
  readonly key: string | undefined;
  readonly parameter: (name: string) => string | undefined;
}

/** An answer; a failure says what was wrong in `problem`. */
export type StoreAnswer =
  | { readonly status: 200; readonly body: unknown }
  | { readonly status: 400 | 404 | 503; readonly problem: string };

/** A request that cannot be understood. */
class BadQuestion extends Error {}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;

/** Asks the stores of an application. */
export async function answerStoreQuestion(
  application: ApplicationSource,
  question: StoreQuestion,
): Promise<StoreAnswer> {
  try {
    return await ask(application, question);
  } catch (error) {
    if (error instanceof BadQuestion) return { status: 400, problem: error.message };
    if (error instanceof UnknownStateStoreException) return { status: 404, problem: error.message };
    if (error instanceof InvalidStateStoreException) return { status: 503, problem: error.message };
    throw error;
  }
}

async function ask(
  application: ApplicationSource,
  question: StoreQuestion,
): Promise<StoreAnswer> {
  const { store, what, key } = question;
  if (what === "count") return count(application, store);
  const limit = numberOf(question, "limit", DEFAULT_LIMIT);
  if (limit < 1 || limit > MAX_LIMIT) throw new BadQuestion(`limit must be 1 to ${MAX_LIMIT}`);
  let answers = new Map<number, QueryResult<unknown>>();
  for (const query of queriesFor(question)) {
    answers = new Map(await application.query({ store, query, maxRows: limit }));
    if (![...answers.values()].some((each) => isOtherKind(each))) break;
  }
  const failed = [...answers.values()].find((each) => !each.ok);
  const found = [...answers].flatMap(([partition, each]) =>
    each.ok && each.result !== null ? [{ partition, result: each.result }] : []
  );
  if (what === "keys" && key !== undefined) {
    if (found.length > 0) return { status: 200, body: oneRow(key, found[0]) };
    return failed === undefined
      ? { status: 404, problem: `${store} has no key ${key} on this instance` }
      : refusal(failed);
  }
  if (failed !== undefined) return refusal(failed);
  const rows = found.flatMap(({ partition, result }) =>
    (result as unknown[]).map((row) => ({ ...rowOf(row, what), partition }))
  );
  return { status: 200, body: { store, rows: rows.slice(0, limit) } };
}

function isOtherKind(result: QueryResult<unknown>): boolean {
  return !result.ok && result.reason === "unknown-query-type";
}

function refusal(result: QueryResult<unknown>): StoreAnswer {
  if (result.ok) throw new TypeError("Cannot refuse an answer that is there");
  const passing = result.reason === "not-active" || result.reason === "not-up-to-bound";
  return { status: passing ? 503 : 400, problem: result.message };
}

/** The ways to ask, the one that tells most first: stores without timestamps take the second. */
function queriesFor(question: StoreQuestion): Query<unknown>[] {
  const { what, parameter } = question;
  const key = question.key === undefined ? undefined : keyOf(question.key, question);
  const from = () => numberOf(question, "from", 0);
  const to = () => numberOf(question, "to", Number.MAX_SAFE_INTEGER);
  const needed = () => {
    if (key === undefined) throw new BadQuestion(`${what} need the parameter key`);
    return key;
  };
  switch (what) {
    case "keys": {
      if (key !== undefined) return [timestampedKeyQuery(key), keyQuery(key)];
      const order = parameter("reverse") === undefined ? "ascending" : "descending";
      const bound = (name: string) => {
        const text = parameter(name);
        return text === undefined ? null : keyOf(text, question);
      };
      const range = { from: bound("from"), to: bound("to"), order } as const;
      return [timestampedRangeQuery(range), rangeQuery(range)];
    }
    case "windows":
      return [
        key === undefined ? windowRangeQuery(from(), to()) : windowKeyQuery(key, from(), to()),
      ];
    case "sessions":
      return [sessionsOfKeyQuery(needed())];
    case "versions":
      return [multiVersionedKeyQuery(needed(), { from: from(), to: to() })];
    case "count":
      return [];
  }
}

function count(application: ApplicationSource, store: string): StoreAnswer {
  const tasks = application.stores().filter(({ name }) => name === store);
  if (tasks.length === 0) return { status: 404, problem: `There is no store ${store} here` };
  const known = tasks.flatMap(({ entries }) => entries ?? []);
  if (known.length < tasks.length) {
    return { status: 400, problem: `${store} does not count its entries` };
  }
  return { status: 200, body: { store, count: known.reduce((sum, each) => sum + each, 0) } };
}

function numberOf({ parameter }: StoreQuestion, name: string, otherwise: number): number {
  const text = parameter(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new BadQuestion(`${name} must be a whole number`);
  return value;
}

/** A key from its text, as `serde` says. */
function keyOf(text: string, { parameter }: StoreQuestion): unknown {
  const serde = parameter("serde") ?? "string";
  try {
    switch (serde) {
      case "string":
        return text;
      case "number":
        if (text.trim() === "" || Number.isNaN(Number(text))) break;
        return Number(text);
      case "bigint":
        return BigInt(text);
      case "json":
        return JSON.parse(text);
      case "bytes":
        return new Uint8Array(
          text.startsWith("0x") ? Buffer.from(text.slice(2), "hex") : Buffer.from(text, "base64"),
        );
    }
  } catch {
    // Said below.
  }
  throw new BadQuestion(
    `The key must be written as serde says, which is string, number, bigint, json or bytes (0x… or base64): ${serde} ${text}`,
  );
}

function oneRow(key: string, { partition, result }: { partition: number; result: unknown }) {
  return { key, ...valueOf(result), partition };
}

function rowOf(row: unknown, what: StoreQuestion["what"]): Record<string, unknown> {
  if (what === "versions") return plain(row) as Record<string, unknown>;
  const [key, value] = row as [unknown, unknown];
  if (key instanceof Windowed) {
    return { key: plain(key.key), start: key.start, end: key.end, ...valueOf(value) };
  }
  return { [what === "windows" ? "start" : "key"]: plain(key), ...valueOf(value) };
}

function valueOf(value: unknown): Record<string, unknown> {
  return value instanceof ValueAndTimestamp
    ? { value: plain(value.value), timestamp: value.timestamp }
    : { value: plain(value) };
}

/** A value as JSON has it: integers beyond its numbers as text, bytes as base64. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.map(([name, each]) => [String(name), plain(each)]));
}
