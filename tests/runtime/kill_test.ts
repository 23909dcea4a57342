// A process that is killed again and again loses nothing and writes nothing twice. Needs Java for the broker.
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../lib/record/time.ts";
import { sharedKafkaBroker } from "../support/kafka_broker.ts";
import { seededRandom } from "../support/random.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { newKillRun } from "./kill_run.ts";

const KILLS = 12;
const SHARED_KILLS = 6;
const RESTART_LIMIT_MS = 30_000;

test("KafkaStreams loses nothing and writes nothing twice when it is killed with SIGKILL twelve times", () =>
  withTempDir(async (dir) => {
    const random = seededRandom("kills");
    const run = await newKillRun(await sharedKafkaBroker(), random);
    for (let i = 0; i < KILLS; i++) {
      const child = run.start(dir);
      await run.writeRound();
      // One in four dies while it still starts or restores.
      if (!random.chance(0.25)) await child.waitForLine(/state RUNNING/, RESTART_LIMIT_MS);
      await systemClock.sleep(random.int(50, 1_200));
      const exit = await child.kill("SIGKILL");
      assertEquals(exit.signal, "SIGKILL", `${child.stdout}${child.stderr}`);
    }
    const last = run.start(dir);
    await last.waitForLine(/state RUNNING/, RESTART_LIMIT_MS);
    await run.writeEnd();
    await run.arrived();
    const exit = await last.stop();
    assertEquals(exit.code, 0, last.stderr);
    assert(last.stdout.includes("closed"));
    await run.assertExact();
  }));

test("KafkaStreams loses nothing and writes nothing twice when instances that share the work are killed in turn", () =>
  withTempDir(async (dir) => {
    const random = seededRandom("shared kills");
    const run = await newKillRun(await sharedKafkaBroker(), random);
    const dirs = [`${dir}/a`, `${dir}/b`];
    const instances = dirs.map((own) => run.start(own));
    for (const instance of instances) await instance.waitForLine(/state RUNNING/, RESTART_LIMIT_MS);
    for (let i = 0; i < SHARED_KILLS; i++) {
      await run.writeRound();
      await systemClock.sleep(random.int(100, 1_500));
      const victim = random.int(0, instances.length);
      // Some go in order, so that their tasks move; a killed one keeps its place in the group for its restart.
      if (random.chance(0.3)) await instances[victim].stop();
      else await instances[victim].kill("SIGKILL");
      await systemClock.sleep(random.int(0, 1_000));
      // Some come back without their state, which is restored in full.
      if (random.chance(0.3)) dirs[victim] = `${dir}/${i}`;
      instances[victim] = run.start(dirs[victim]);
    }
    await run.writeEnd();
    await run.arrived();
    for (const instance of instances) {
      const exit = await instance.stop();
      assertEquals(exit.code, 0, instance.stderr);
    }
    await run.assertExact();
  }));
