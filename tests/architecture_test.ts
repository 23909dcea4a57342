// The rules of lib/DESIGN.md that a machine can check. Each test lists what breaks its rule.
import { readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import {
  ASSEMBLIES,
  CLOCKS,
  EMPTY_WORDS,
  MAX_LINES,
  PRINTERS,
  ROOMS,
  RUNTIME_ADAPTERS,
  TERMS,
} from "./architecture_rules.ts";
import { codeOf, filesUnder, importsOf } from "./support/imports.ts";
import { repositoryRoot } from "./support/spawn.ts";

const LIBRARY = filesUnder("lib", ".ts");
const ENTRIES = [...filesUnder("mod.ts", ".ts"), ...filesUnder("main.ts", ".ts")];
const SOURCES = [...LIBRARY, ...ENTRIES];
const read = (file: string) => readFileSync(join(repositoryRoot, file), "utf8");

test("Each room imports only what the table allows", () => {
  const faults: string[] = [];
  for (const file of LIBRARY) {
    const room = roomOf(file);
    if (ASSEMBLIES.includes(room)) continue;
    for (const specifier of importsOf(join(repositoryRoot, file))) {
      if (!specifier.startsWith(".")) continue;
      const target = relative(repositoryRoot, resolve(repositoryRoot, dirname(file), specifier));
      if (!mayImport(room, target)) faults.push(`${file} imports ${target}`);
    }
  }
  assertEquals(faults, []);
});

test("Each vendor package is imported by one file", () => {
  const importers = new Map<string, Set<string>>();
  for (const file of SOURCES) {
    for (const specifier of importsOf(join(repositoryRoot, file))) {
      if (/^(\.|node:|data:)/.test(specifier) || specifier === "weir") continue;
      const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
      importers.set(name, (importers.get(name) ?? new Set()).add(file));
    }
  }
  const shared = [...importers].filter(([, files]) => files.size > 1);
  assertEquals(shared.map(([name, files]) => `${name}: ${[...files].join(", ")}`), []);
  const declared = JSON.parse(read("package.json")).dependencies as Record<string, string>;
  assertEquals([...importers.keys()].filter((name) => !(name in declared)), []);
});

test("Each dependency has its reason in docs/dependencies.md", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json"));
  const reasons = read("docs/dependencies.md");
  const names = Object.keys({ ...dependencies, ...devDependencies });
  // Types of Node's own modules are no dependency of what is shipped.
  const missing = names.filter((name) =>
    name !== "@types/node" && !reasons.includes(`\`${name}\``)
  );
  assertEquals(missing, []);
});

test(`No file has more than ${MAX_LINES} lines`, () => {
  const files = [
    ...SOURCES,
    ...filesUnder("lib", ".c"),
    ...filesUnder("lib", ".h"),
    ...["tests", "bench", "examples"].flatMap((dir) => filesUnder(dir, ".ts")),
  ];
  const counts = files.map((file) => ({ file, lines: read(file).split("\n").length - 1 }));
  const long = counts.filter(({ lines }) => lines > MAX_LINES);
  assertEquals(long.map(({ file, lines }) => `${file}: ${lines}`), []);
});

test("Names say what a thing is", () => {
  const faults: string[] = [];
  for (const file of SOURCES) {
    for (const part of file.split("/")) if (isEmptyName(part)) faults.push(`${file}: ${part}`);
    for (const { name } of exportsOf(file)) if (isEmptyName(name)) faults.push(`${file}: ${name}`);
    if (!/^[a-z0-9_.]+$/.test(basename(file))) faults.push(`${file}: not in snake case`);
  }
  assertEquals([...new Set(faults)], []);
});

test("Only lib/record/time.ts reads the clock", () => {
  const clock =
    /\bDate\.now\b|\bperformance\.now\b|\bset(Timeout|Interval)\b|\bnew Date\(\)|\bprocess\.hrtime\b/;
  assertEquals(matching(clock, SOURCES, CLOCKS), []);
});

test("Only the command line and telemetry print", () => {
  const mayPrint = [...PRINTERS, ...LIBRARY.filter((f) => /^lib\/(cli|telemetry)\//.test(f))];
  assertEquals(matching(/\bconsole\./, LIBRARY, mayPrint), []);
});

test("What is special to a runtime stays in its adapter files", () => {
  const adapters = [...RUNTIME_ADAPTERS, ...LIBRARY.filter((f) => f.startsWith("lib/cli/"))];
  assertEquals(matching(/(?<!["'.\w])(Deno|Bun)\./, LIBRARY, adapters), []);
});

test("No enum, namespace or parameter property: types can be stripped", () => {
  const fault = /^\s*(export )?(declare )?(const )?(enum|namespace) \w/;
  assertEquals(matching(fault, SOURCES, []), []);
  const property = /constructor\(\s*(?:[^{})]*,\s*)?(?:public|private|protected|readonly)\s+\w/;
  const code = (file: string) => codeOf(join(repositoryRoot, file));
  assertEquals(SOURCES.filter((file) => property.test(code(file))), []);
});

test("Each exported symbol has a docstring", () => {
  const bare = SOURCES.flatMap((file) =>
    exportsOf(file).filter(({ documented }) => !documented).map(({ name }) => `${file}: ${name}`)
  );
  assertEquals(bare, []);
});

test("mod.ts is a list of names", () => {
  for (const file of filesUnder("mod.ts", ".ts")) {
    const code = codeOf(join(repositoryRoot, file));
    assert(!/export \*/.test(code), "mod.ts must not export all of a module");
    const statements = code.split(";").map((text) => text.trim()).filter((text) => text !== "");
    const others = statements.filter((text) => !/^export (type )?\{[^}]*\} from /.test(text));
    assertEquals(others, []);
  }
});

function roomOf(file: string): string {
  return file.replace(/^lib\//, "").split("/")[0].replace(/\.ts$/, "");
}

function mayImport(room: string, target: string): boolean {
  const other = roomOf(target);
  if (!target.startsWith("lib/")) return false;
  if (other === room) return true;
  const allowed = ROOMS[room]?.[other];
  return allowed === "all" || (allowed?.includes(target.replace(`lib/${other}/`, "")) ?? false);
}

/** The lines of the files' code, without comments, that match; `path:text`. */
function matching(
  pattern: RegExp,
  files: readonly string[],
  exempt: readonly string[],
): string[] {
  return files.filter((file) => !exempt.includes(file)).flatMap((file) =>
    codeOf(join(repositoryRoot, file)).split("\n")
      .filter((line) => pattern.test(line)).map((line) => `${file}: ${line.trim()}`)
  );
}

/** The symbols that a file declares and exports, each once (overloads have one docstring). */
function exportsOf(file: string): { name: string; documented: boolean }[] {
  const lines = read(file).split("\n");
  const found = new Map<string, { name: string; documented: boolean }>();
  lines.forEach((line, i) => {
    const match = line.match(
      /^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type) (\w+)/,
    );
    if (!match || found.has(match[1])) return;
    found.set(match[1], { name: match[1], documented: /\*\/\s*$/.test(lines[i - 1] ?? "") });
  });
  return [...found.values()];
}

function isEmptyName(name: string): boolean {
  if (TERMS.some((term) => term.test(name))) return false;
  const words = name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase().split(/[^a-z]+/);
  return words.some((word) => EMPTY_WORDS.includes(word));
}
