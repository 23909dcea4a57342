import { assertEquals, assertNotEquals } from "@std/assert";
import { join } from "node:path";
import { test } from "node:test";
import { denoPath, Program, repositoryRoot } from "../support/spawn.ts";

/** What each line of the Java peer has, and so each of ours. */
const FIELDS = [
  "engine",
  "topology",
  "threads",
  "guarantee",
  "cache",
  "commit_ms",
  "records",
  "seconds",
  "records_per_s",
  "second_half_records_per_s",
  "cpu_seconds",
  "rss_mb",
];

async function bench(script: string, ...args: string[]): Promise<string> {
  const all = ["run", "-A", "--no-check", join(repositoryRoot, "bench", script), ...args];
  const program = new Program(denoPath(), all);
  const exit = await program.exited;
  assertEquals(exit.code, 0, `${program.stdout}${program.stderr}`);
  return program.stdout;
}

function lines(output: string): Record<string, unknown>[] {
  return output.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

for (const topology of ["passthrough", "stateless", "count", "agg", "agg-suppress", "join"]) {
  test(`bench/broker.ts runs ${topology} on the embedded broker and prints the peer's fields`, async () => {
    const output = await bench(
      "broker.ts",
      ...["--topology", topology, "--bootstrap", "embedded", "--records", "4000"],
      ...["--guarantee", "exactly_once_v2", "--commit", "100", "--verify", "true"],
    );
    const [line, ...others] = lines(output);
    assertEquals(others, []);
    assertEquals(FIELDS.filter((field) => line[field] === undefined), []);
    assertEquals([line.records, line.topology, line.broker], [4_000, topology, "embedded"]);
    // All times lie within a minute, so no window closes in so few records.
    if (topology === "agg-suppress") assertEquals(line.out_records, 0);
    else assertNotEquals(line.out_records, 0);
    if (topology === "passthrough") assertEquals(line.out_records, 4_000);
  });
}

test("bench/tune.ts walks all settings and marks the best one", async () => {
  const output = await bench(
    "tune.ts",
    ...["--records", "2000", "--threads", "1,2", "--cache", "0", "--commit", "50,100"],
  );
  const measured = lines(output);
  assertEquals(measured.map((line) => [line.threads, line.commit_ms]), [
    [1, 50],
    [1, 100],
    [2, 50],
    [
      2,
      100,
    ],
  ]);
  assertEquals(output.split("\n").filter((line) => line.includes("| best |")).length, 2);
});
