// SIGTERM under load: weir run stops in time, and the next run processes nothing again and leaves nothing out, whatever the guarantee.
import { after, before, test } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals } from "@std/assert";
import { ProduceBatch } from "../../lib/kafka/produce_batch.ts";
import { systemClock } from "../../lib/record/time.ts";
import { bytes, type Plain, produceAll, TIMEOUT_MS, unique } from "../kafka/subject.ts";
import { type Program, spawnSame } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { log, readAllCommitted, readUntil } from "./application.ts";
import { embeddedSubject } from "./bad_input.ts";

const weir = new URL("../../mod.ts", import.meta.url).href;
const PARTITIONS = 6;
const KEYS = 60;
const STOPS = 3;
let subject: ReturnType<typeof embeddedSubject>;
before(() => {
  subject = embeddedSubject();
});
after(() => subject.close());

/** Writes numbered records without a pause worth the name until it is told to end; then it gives how many. */
function feed(topic: string): { end(): Promise<number> } {
  const producer = subject.clients.producer({
    "bootstrap.servers": subject.bootstrapServers,
    "linger.ms": 5,
  });
  let running = true;
  let written = 0;
  const done = (async () => {
    while (running) {
      const batch = new ProduceBatch();
      const index = batch.topic(topic);
      for (let i = 0; i < 100; i++, written++) {
        batch.add(
          index,
          -1,
          systemClock.now(),
          bytes(`k${written % KEYS}`),
          bytes(String(written)),
        );
      }
      await produceAll(producer, batch);
      await systemClock.sleep(10);
    }
    await producer.flush(TIMEOUT_MS);
    await producer.close();
  })();
  return {
    async end() {
      running = false;
      await done;
      return written;
    },
  };
}

/** The input's number and the key's count of each output. */
function assertOnceEach(rows: readonly Plain[], written: number): void {
  const numbers = rows.map((row) => Number(row.value!.split(":")[0])).sort((a, b) => a - b);
  assertEquals(numbers.length, written);
  assert(numbers.every((number, i) => number === i), "a record is missing or was processed twice");
  for (const [key, own] of Map.groupBy(rows, (row) => row.key!)) {
    const counts = own.map((row) => Number(row.value!.split(":")[1]));
    assert(counts.every((count, i) => count === i + 1), `the counts of ${key}: ${counts}`);
  }
}

for (const guarantee of ["exactly_once_v2", "at_least_once"]) {
  for (const threads of [1, 3]) {
    test(`weir run stops on SIGTERM under load, and nothing is processed again (${guarantee}, threads: ${threads})`, () =>
      log.printOnFailure(async () => {
        const dir = makeTempDir("stop");
        const id = unique("stop");
        const [from, to] = [unique("from"), unique("to")];
        for (const topic of [from, to, `${id}-counts-changelog`]) {
          await subject.createTopic(topic, PARTITIONS);
        }
        const path = join(dir, "topology.ts");
        writeFileSync(
          path,
          `import { defineTopology, string, topic } from ${JSON.stringify(weir)};
const text = { key: string(), value: string() };
export const topology = defineTopology((builder) =>
  builder.stream(topic("${from}", text)).groupByKey()
    .aggregate(() => ":0", (all, value) => \`\${value}:\${Number(all.split(":")[1]) + 1}\`, {
      store: "counts", ...text, caching: false,
    })
    .toStream().to(topic("${to}", text)));
`,
        );
        const settings = {
          "application.id": id,
          "bootstrap.servers": subject.bootstrapServers,
          "processing.guarantee": guarantee,
          "num.stream.threads": String(threads),
          // So long that the last records before a stop are committed by the stop alone.
          "commit.interval.ms": "5000",
          "state.dir": join(dir, "state"),
          "admin.port": "0",
          "shutdown.timeout.ms": "20000",
          "session.timeout.ms": "6000",
        };
        const set = Object.entries(settings).flatMap(([k, v]) => ["--set", `${k}=${v}`]);
        const start = (): Program => spawnSame("main.ts", ["run", path, ...set]);
        const load = feed(from);
        let program = start();
        try {
          for (let stop = 0, seen = 0; stop < STOPS; stop++) {
            await program.waitForLine(/State transition from REBALANCING to RUNNING/);
            await systemClock.sleep(700);
            // Bounded: it would be killed, which is an error, after the time that it may take.
            assertEquals(await program.stop(21_000), { code: 0, signal: null });
            const { length } = await readAllCommitted(subject, to, PARTITIONS);
            assert(length > seen, program.stderr);
            seen = length;
            program = start();
          }
          const written = await load.end();
          await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= written);
          assertEquals(await program.stop(21_000), { code: 0, signal: null });
          assertOnceEach(await readAllCommitted(subject, to, PARTITIONS), written);
        } finally {
          await load.end();
          await program.kill();
        }
      }));
  }
}
