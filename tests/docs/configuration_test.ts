// The page on configuration says what the table of settings says: no setting is missing, none is made up, and types and defaults agree.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { CLIENT_KEYS, JAVA_ONLY_CLIENT_KEYS, TOPIC_KEYS } from "../../lib/config/client_keys.ts";
import {
  ALIASES,
  NOT_HERE,
  STREAMS_KEYS,
  type StreamsKey,
  WITHOUT_EFFECT,
} from "../../lib/config/streams_keys.ts";
import { canonicalKey } from "../../lib/config/sources.ts";
import { repositoryRoot } from "../support/spawn.ts";

const PAGE = readFileSync(join(repositoryRoot, "docs", "configuration.md"), "utf8");
const KEYS = Object.entries(STREAMS_KEYS) as [string, StreamsKey<unknown>][];

/** The cells of each row of the page's tables; a bar that is part of a cell is written `\|`. */
const ROWS = PAGE.split("\n").filter((line) => line.startsWith("| ")).map((line) =>
  line.slice(1, line.lastIndexOf("|")).split(/(?<!\\)\|/).map((cell) =>
    cell.trim().replaceAll("\\|", "|")
  )
);
/** Seven cells: a setting of the streams. */
const SETTINGS = new Map(
  ROWS.filter((row) => row.length === 7 && row[0].startsWith("`"))
    .map((row) => [row[0].replaceAll("`", ""), row]),
);

function listed(first: string): string[] {
  const row = ROWS.find(([cell]) => cell === first);
  return [...(row?.[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name).sort();
}

const pairs = (of: Readonly<Record<string, unknown>>) =>
  ROWS.filter(([a, b]) => of[a.slice(1, -1)] === b.replaceAll("`", ""));

test("The configuration page has every setting once, and no other", () => {
  assertEquals([...SETTINGS.keys()].sort(), KEYS.map(([key]) => key).sort());
  const rows = ROWS.filter((row) => row.length === 7 && row[0].startsWith("`"));
  assertEquals(rows.length, SETTINGS.size);
});

test("The configuration page has each setting's type, default, unit and meaning", () => {
  for (const [key, { kind, default: byDefault, about }] of KEYS) {
    const [, , type, shown, unit, meaning] = SETTINGS.get(key) ?? [];
    assertEquals(type, kind.allowed, key);
    assertEquals(meaning, about, key);
    if (/\.ms$/.test(key)) assertEquals(unit, "ms", key);
    if (/\.bytes$/.test(key)) assertEquals(unit, "bytes", key);
    // The only default that differs between machines.
    if (key === "state.dir") continue;
    assertEquals(shown, byDefault === undefined ? "none" : `\`${byDefault}\``, key);
  }
});

test("The configuration page names the clients' and the topics' settings", () => {
  const scoped = (scope: string) =>
    [...CLIENT_KEYS].filter(([, of]) => of === scope).map(([name]) => name).sort();
  assertEquals(listed("all"), scoped("all"));
  assertEquals(listed("consumers"), scoped("consumer"));
  assertEquals(listed("producers"), scoped("producer"));
  assertEquals(listed("none: Java's alone, refused"), [...JAVA_ONLY_CLIENT_KEYS].sort());
  for (const name of TOPIC_KEYS) assert(PAGE.includes(`\`${name}\``), name);
});

test("The configuration page has other names, what is refused, and what has no effect", () => {
  assertEquals(pairs(ALIASES).length, Object.keys(ALIASES).length);
  assertEquals(pairs(NOT_HERE).length, Object.keys(NOT_HERE).length);
  const without = [...SETTINGS].filter(([, row]) => row[6].includes("no effect"));
  assertEquals(without.map(([key]) => key).sort(), Object.keys(WITHOUT_EFFECT).sort());
});

test("The configuration page's remarks name settings that exist", () => {
  const remarks = [...SETTINGS.values()].map((row) => row[6]);
  const rules = /## Rules between settings([^]*?)## Internal topics/.exec(PAGE)![1]
    .split("\n").filter((line) => !line.startsWith("|"));
  for (const [, name] of [...remarks, ...rules].join(" ").matchAll(/`([a-z]+(?:\.[a-z_]+)+)`/g)) {
    assert(canonicalKey(name) !== undefined, name);
  }
});
