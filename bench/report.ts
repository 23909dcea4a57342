/** Runs benchmark programs, each in a fresh process, and prints what they measured as JSON lines and as a table. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";

/** One measurement: the fields of a JSON line that a benchmark printed. */
export type Measurement = Record<string, string | number | boolean | null>;

/**
 * Runs a benchmark and gives the JSON lines it printed; anything else it prints goes to standard error.
 * @throws {Error} when it exits with another code than 0
 */
export async function runBenchmark(
  script: string,
  args: readonly string[],
): Promise<Measurement[]> {
  const child = spawn(process.execPath, [...runtimeArgs(), script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: Measurement[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith("{")) console.error(line);
    else {
      console.log(line);
      lines.push(JSON.parse(line) as Measurement);
    }
  }
  const code = child.exitCode ??
    await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (code !== 0) {
    throw new Error(
      `Cannot use the measurements of ${script} as it failed: current value is exit code ${code}`,
    );
  }
  return lines;
}

function runtimeArgs(): string[] {
  return "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
}

/** A Markdown table with a column for each of the named fields. */
export function table(rows: readonly Measurement[], columns: readonly string[]): string {
  const cells = rows.map((row) => columns.map((column) => cell(row[column])));
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...cells.map((row) => row[i].length))
  );
  const line = (values: readonly string[]) =>
    `| ${values.map((v, i) => v.padEnd(widths[i])).join(" | ")} |`;
  return [line(columns), line(widths.map((w) => "-".repeat(w))), ...cells.map(line)].join("\n");
}

function cell(value: Measurement[string] | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "number"
    ? value.toLocaleString("en", { maximumFractionDigits: 1 })
    : String(value);
}

/** Reads `--name value` pairs; a lone `--` is skipped. @throws {Error} when a name is not known. */
export function readArgs<T extends Record<string, string>>(
  args: readonly string[],
  defaults: T,
): T {
  const read: Record<string, string> = { ...defaults };
  const words = args.filter((arg) => arg !== "--");
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, "");
    if (!(name in defaults) || words[i + 1] === undefined) {
      throw new Error(
        `Cannot read the arguments as only ${
          Object.keys(defaults).map((n) => `--${n} VALUE`).join(", ")
        } are known: current value is ${words[i]}`,
      );
    }
    read[name] = words[i + 1];
  }
  return read as T;
}
