// What the documents name is there: Weir's names on the page of Kafka Streams' classes, and the pages that README leads to.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { canonicalKey } from "../../lib/config/sources.ts";
import { repositoryRoot } from "../support/spawn.ts";

const read = (file: string) => readFileSync(join(repositoryRoot, file), "utf8");

/** What mod.ts exports, with the file that it comes from. */
function exports(): Map<string, string> {
  const found = new Map<string, string>();
  for (
    const [, names, file] of read("mod.ts").matchAll(
      /export (?:type )?\{([^}]*)\} from "\.\/([^"]+)"/g,
    )
  ) {
    for (const name of names.split(",")) {
      const bare = name.trim().replace(/^type /, "");
      if (bare !== "") found.set(bare, file);
    }
  }
  return found;
}

const EXPORTS = exports();
const NAME = /^[A-Za-z]\w*(\.[\w.]+)?$/;

/** The text of a declaration with those of what it extends: from its first line to the brace that closes it. */
function declaration(name: string, file: string): string {
  const text = read(file);
  const start = new RegExp(
    `^export (?:abstract )?(?:class|interface|type|const|function) ${name}\\b`,
    "m",
  ).exec(text);
  if (start === null) return "";
  const rest = text.slice(start.index);
  const end = /^\}|;$/m.exec(rest.startsWith("export type") ? rest : rest.replaceAll(/;$/gm, " "));
  const own = end === null ? rest : rest.slice(0, end.index);
  const head = own.slice(0, own.indexOf("{"));
  const bases = [...head.matchAll(/(?:extends|,|&)\s+([A-Z]\w+)/g)].map(([, base]) => base);
  const others = bases.filter((base) => base !== name).map((base) => {
    if (EXPORTS.has(base)) return declaration(base, EXPORTS.get(base)!);
    const imported = new RegExp(`\\b(?:${base}|\\w+ as ${base})\\b[^;]*? from "([^"]+)"`).exec(
      text,
    );
    const from = imported === null ? file : join(file, "..", imported[1]);
    return declaration(base === "Application" ? "KafkaStreams" : base, from);
  });
  return [own, ...others].join("\n");
}

function isMember(name: string, member: string): boolean {
  const text = declaration(name, EXPORTS.get(name)!);
  return new RegExp(
    `^\\s+(?:[{&|]\\s*)?(?:/\\*\\*.*?\\*/\\s*)?(?:readonly |get |static |async )*${member}\\??\\s*[(<:]`,
    "m",
  )
    .test(text);
}

/** Rows of two cells: what Kafka Streams calls it, and what Weir does. */
const ROWS = read("docs/api-parity.md").split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (---|Kafka Streams \|)/.test(line))
  .map((line) => line.slice(2, line.lastIndexOf("|")).split(" | ").map((cell) => cell.trim()));

test("The page of Kafka Streams' classes names nothing of Weir's that is not there", () => {
  const missing: string[] = [];
  let checked = 0;
  for (const [, ours] of ROWS) {
    for (const [, token] of ours.matchAll(/`([^`]+)`/g)) {
      const name = token.replace(/\(.*\)$/, "");
      if (!NAME.test(name)) continue;
      checked++;
      const [first, member] = name.split(".");
      const known = EXPORTS.has(first)
        ? member === undefined || isMember(first, member)
        : canonicalKey(name) !== undefined;
      if (!known) missing.push(name);
    }
  }
  assertEquals(missing, []);
  assert(checked > 200, `${checked} names`);
});

test("The page of Kafka Streams' classes says of each what there is, or why there is nothing", () => {
  for (const row of ROWS) {
    assertEquals(row.length, 2, row.join(" | "));
    assert(/`|not built: |not needed: /.test(row[1]), row.join(" | "));
  }
});

test("README leads to every page, and says in three lines what Weir is before the two commands", () => {
  const readme = read("README.md");
  for (const page of readdirSync(join(repositoryRoot, "docs"))) {
    assert(readme.includes(`](docs/${page})`), page);
  }
  const [title, , ...lines] = readme.split("\n");
  assertEquals(title, "# Weir");
  assertEquals(lines.slice(3, 5), ["", "```sh"]);
  assert(lines.slice(0, 3).every((line) => line !== ""));
  const commands = lines.slice(5, lines.indexOf("```"));
  assertEquals(commands.map((line) => line.split("  ")[0]), [
    "npx -y deno@2.9.6 task start",
    "npx -y deno@2.9.6 task test",
  ]);
});
