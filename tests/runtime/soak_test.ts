// What happens in operation, by a seed: `WEIR_SEED` repeats a run, `WEIR_SOAK` makes it longer. Needs Java for the broker.
import { test } from "node:test";
import process from "node:process";
import { seededRandom } from "../support/random.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { soak } from "./soak.ts";

const EVENTS = Number(process.env.WEIR_SOAK ?? 8);

test("KafkaStreams loses nothing and writes nothing twice while instances come, go, freeze and die, and the broker restarts", () =>
  withTempDir((dir) => soak(seededRandom("soak"), dir, EVENTS)));
