import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../support/random.ts";
import { runDifferential } from "./run.ts";

// `deno task differential -- --seed S --cases N` runs as many as one has the patience for.
const CASES = 500;

test("Random topologies give what Apache Kafka Streams gives", async () => {
  const { seed } = seededRandom("differential");
  const { compared, differences } = await runDifferential(seed >>> 8, CASES, { maxShrunk: 1 });
  const shown = differences.map(({ seed, what, scenario }) =>
    `seed ${seed}: ${what}\n${JSON.stringify(scenario)}`
  );
  assertEquals(shown, []);
  assert(compared > CASES * 0.9, `${compared} of ${CASES} were compared`);
});
