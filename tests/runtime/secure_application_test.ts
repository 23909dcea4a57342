// Applications on an Apache Kafka broker that asks who is there: SCRAM over TLS, a password that is wrong, a certificate that is not trusted; and no secret anywhere.
import { after, before, test } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { librdkafkaClients } from "../../lib/kafka/librdkafka.ts";
import { callAfter } from "../../lib/record/time.ts";
import { type Subject, unique } from "../kafka/subject.ts";
import { type KafkaBroker, startKafkaBroker } from "../support/kafka_broker.ts";
import { type Program, spawnSame } from "../support/spawn.ts";
import { makeTempDir, withTempDir } from "../support/temp_dir.ts";
import { log, reaches, readAllCommitted, readUntil } from "./application.ts";
import { realApplication, writeRaw } from "./bad_input.ts";
import { counting } from "./counting.ts";

const weir = new URL("../../mod.ts", import.meta.url).href;
const PASSWORD = "right-hunter2-password";
const WRONG = "wrong-hunter3-password";
let broker: KafkaBroker;
/** The listener without security, for the test's own reading and writing. */
let plain: Subject;
before(async () => {
  broker = await startKafkaBroker({ sasl: { mechanisms: ["SCRAM-SHA-256"], password: PASSWORD } });
  plain = {
    kind: "real",
    clients: librdkafkaClients,
    bootstrapServers: broker.plainBootstrapServers,
    createTopic: (name, partitions) => broker.createTopic(name, { partitions }),
    close: () => broker.stop(),
  };
});
after(async () => {
  // The broker's process does not hold the event loop while it ends.
  const letGo = callAfter(30_000, () => {});
  await plain.close();
  letGo();
});

const secured = (password: string): Record<string, string> => ({
  "bootstrap.servers": broker.bootstrapServers,
  "security.protocol": "SASL_SSL",
  "sasl.mechanism": "SCRAM-SHA-256",
  "sasl.username": broker.security!.username,
  "sasl.password": password,
  "ssl.ca.location": broker.security!.certificates.caFile,
});

async function newTopics(): Promise<{ from: string; to: string }> {
  const [from, to] = [unique("from"), unique("to")];
  await broker.createTopics([from, to].map((name) => ({ name, partitions: 1 })));
  return { from, to };
}

for (const guarantee of ["exactly_once_v2", "at_least_once"]) {
  test(`An application runs with SCRAM-SHA-256 over TLS: reads, counts, makes its changelog, writes and commits (${guarantee})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const { from, to } = await newTopics();
        await writeRaw(plain, from, [{ key: "a", value: "1" }, { key: "a", value: "2" }]);
        const streams = realApplication(plain, counting(from, to), dir, {
          ...secured(PASSWORD),
          "application.id": unique("secure"),
          "processing.guarantee": guarantee,
          "replication.factor": 1,
        });
        await streams.start();
        const rows = await readUntil(plain, to, 1, (r) => r.length >= 2);
        assertEquals(rows.map((r) => r.value), ["1", "2"]);
        assert(await streams.close());
        const told = `${log}${JSON.stringify(streams.metrics())}${JSON.stringify(streams.config)}`;
        assert(!told.includes("hunter2"));
      })
    ));
}

test("An application whose password is wrong ends, says that the cluster does not let it in, and shows no password", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const { from, to } = await newTopics();
      const all = { "application.id": unique("secure"), "replication.factor": 1 };
      await writeRaw(plain, from, [{ key: "a", value: "1" }]);
      const refused = realApplication(plain, counting(from, to), dir, {
        ...secured(WRONG),
        ...all,
        "debug": "security,broker",
      });
      await refused.start();
      await reaches(refused, "ERROR");
      const { failure } = refused;
      assertEquals(failure?.name, "StreamsException");
      assertMatch(
        failure!.message,
        /^Cannot start as the cluster refuses this client: Cannot go on as Kafka refuses: current value is _AUTHENTICATION \(.*SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256/,
      );
      assertEquals(failure!.message.includes("invalid credentials"), true);
      await refused.close();
      const told = [log.toString(), failure!.stack, String(failure!.cause), refused.config]
        .map((part) => typeof part === "string" ? part : JSON.stringify(part)).join("\n");
      assert(!told.includes("hunter3"), "the password is shown");
      // With the right one everything is still there.
      const streams = realApplication(plain, counting(from, to), dir, {
        ...secured(PASSWORD),
        ...all,
      });
      await streams.start();
      await readUntil(plain, to, 1, (r) => r.length >= 1);
      assert(await streams.close());
      assertEquals((await readAllCommitted(plain, to, 1)).map((r) => r.value), ["1"]);
    })
  ));

test("An application ends, and says why, when the broker's certificate is of an authority that it does not trust", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const { from, to } = await newTopics();
      const { "ssl.ca.location": _, ...untrusting } = secured(PASSWORD);
      const refused = realApplication(plain, counting(from, to), dir, {
        ...untrusting,
        "application.id": unique("secure"),
      });
      await refused.start();
      await reaches(refused, "ERROR");
      assertMatch(
        refused.failure!.message,
        /^Cannot start as the cluster refuses this client: .*_SSL .*certificate verify failed/,
      );
      await refused.close();
    })
  ));

function weirRun(settings: Record<string, string>, from: string, to: string): Program {
  const dir = makeTempDir("secure");
  const path = join(dir, "topology.ts");
  writeFileSync(
    path,
    `import { defineTopology, string, topic } from ${JSON.stringify(weir)};
const text = { key: string(), value: string() };
export const topology = defineTopology((builder) =>
  builder.stream(topic("${from}", text)).to(topic("${to}", text)));
`,
  );
  const config = join(dir, "weir.yaml");
  const all = {
    "state.dir": join(dir, "state"),
    "admin.port": "0",
    "log.format": "json",
    "log.level": "trace",
    "debug": "security,broker,conf",
    "admin.token": "hunter4-admin-token",
    ...settings,
  };
  writeFileSync(config, JSON.stringify(all));
  return spawnSame("main.ts", ["run", path, "--config", config]);
}

test("weir run with a wrong password exits with 1 and shows it nowhere, not even when everything is logged", async () => {
  const { from, to } = await newTopics();
  const program = weirRun({ ...secured(WRONG), "application.id": unique("secure") }, from, to);
  await program.waitForLine(/^weir: StreamsException/);
  assertEquals((await program.exited).code, 1);
  assertStringIncludes(
    program.stderr,
    "weir: StreamsException: Cannot start as the cluster refuses this client:",
  );
  assertStringIncludes(program.stderr, "invalid credentials with SASL mechanism SCRAM-SHA-256");
  assert(!/hunter/.test(program.stderr + program.stdout), "a secret is shown");
});

test("weir run shows its secrets in no log, no metric and no page of its admin server", async () => {
  const { from, to } = await newTopics();
  const settings = { ...secured(PASSWORD), "application.id": unique("secure") };
  const program = weirRun(settings, from, to);
  try {
    const url = (await program.waitForLine(/The admin server listens on (http:[^"]+)/))[1];
    await writeRaw(plain, from, [{ key: "a", value: "1" }]);
    await readUntil(plain, to, 1, (r) => r.length >= 1);
    const pages = [
      "metrics",
      "topology",
      "config",
      "api/v1/state",
      "api/v1/info",
      "api/v1/metrics",
      "",
    ];
    for (const page of pages) {
      const answer = await fetch(`${url}/${page}`);
      assert(!(await answer.text()).includes("hunter"), page);
    }
    assertEquals(await program.stop(), { code: 0, signal: null });
    assert(!/hunter/.test(program.stderr + program.stdout), "a secret is shown");
  } finally {
    await program.kill();
  }
});
