// What `weir run` says, and exits with, when something is wrong; and that what it was to process is processed by the next run.
import { after, before, test } from "node:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventually, readAllCommitted, readUntil } from "../runtime/application.ts";
import { committedOffsets, embeddedSubject, writeRaw } from "../runtime/bad_input.ts";
import { newTopic, unique } from "../kafka/subject.ts";
import { type Program, spawnSame } from "../support/spawn.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { freePort } from "../support/free_port.ts";

const weir = new URL("../../mod.ts", import.meta.url).href;
let subject: ReturnType<typeof embeddedSubject>;
before(() => {
  subject = embeddedSubject();
});
after(() => subject.close());

interface Place {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly dir: string;
}

async function newPlace(): Promise<Place> {
  const dir = makeTempDir("bad-input");
  return {
    id: unique("cli"),
    from: await newTopic(subject, "from", 1),
    to: await newTopic(subject, "to", 1),
    dir,
  };
}

function topologyFile({ dir }: Place, body: string): string {
  const path = join(dir, "topology.ts");
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    path,
    `import { defineTopology, string, topic } from ${JSON.stringify(weir)};
const text = { key: string(), value: string() };
export const topology = defineTopology((builder) => { ${body} });
`,
  );
  return path;
}
const copy = ({ from, to }: Place) =>
  `builder.stream(topic("${from}", text)).to(topic("${to}", text));`;

function weirRun(
  place: Place,
  body: string,
  more: Record<string, string> = {},
): Program {
  const settings = {
    "application.id": place.id,
    "bootstrap.servers": subject.bootstrapServers,
    "processing.guarantee": "exactly_once_v2",
    "commit.interval.ms": "50",
    "state.dir": join(place.dir, "state"),
    "admin.port": "0",
    "log.format": "json",
    "group.instance.id": place.id,
    ...more,
  };
  const set = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  return spawnSame("main.ts", ["run", topologyFile(place, body), ...set]);
}

/** The probes' answers: live and ready. */
async function probes(url: string): Promise<[number, number]> {
  const status = async (path: string) => {
    const answer = await fetch(`${url}/${path}`);
    await answer.body?.cancel();
    return answer.status;
  };
  return [await status("healthz"), await status("readyz")];
}
const adminUrl = async (program: Program) =>
  (await program.waitForLine(/The admin server listens on (http:[^"]+)/))[1];

test("weir run exits with 2 and names all that is wrong in file, environment and command line at once, without a secret", async () => {
  const place = await newPlace();
  const config = join(place.dir, "weir.yaml");
  writeFileSync(
    config,
    [
      "application.id: bad/name",
      "num.stream.thread: 2",
      "processing.guarantee: maybe",
      "schema.registry.basic.auth.user.info: hunter2-no-colon",
      "security.protocol: SASL_SSL",
      "sasl.jaas.confg: hunter2-jaas",
    ].join("\n"),
  );
  const program = spawnSame("main.ts", [
    "run",
    topologyFile(place, copy(place)),
    "--config",
    config,
    "--set",
    "commit.interval.ms=soon",
    "--set",
    "bootstrap.servers=:::",
    "--set",
    "admin.token=hunter2",
    "--set",
    "deserialization.exception.handler=dead-letter-queue",
  ], { env: { STREAMS_ADMIN_PORT: "99999" } });
  assertEquals((await program.exited).code, 2);
  const lines = program.stderr.trimEnd().split("\n");
  assertEquals(lines[0], "weir: Cannot use the configuration as 11 setting(s) are wrong:");
  assertEquals(lines.slice(1).sort(), [
    "  admin.port: must be a whole number from 0 to 65535: current value is 99999",
    "  admin.token: must be at least 8 characters without spaces: current value is [hidden]",
    "  application.id: must be 1 to 249 letters, digits, dots, underscores and hyphens: current value is bad/name",
    "  bootstrap.servers: must be a list of host:port, or embedded:// for the broker inside this process: current value is :::",
    "  commit.interval.ms: must be a whole number of at least 0: current value is soon",
    "  deserialization.exception.handler: needs errors.dead.letter.queue.topic.name to name the topic: current value is dead-letter-queue",
    "  num.stream.thread: is not a known setting; did you mean num.stream.threads?: current value is 2",
    "  processing.guarantee: must be one of at_least_once, exactly_once_v2: current value is maybe",
    "  sasl.jaas.confg: is not a known setting; did you mean sasl.jaas.config?: current value is [hidden]",
    "  sasl.mechanism: must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER as security.protocol is SASL_SSL: current value is nothing",
    "  schema.registry.basic.auth.user.info: must be user:password: current value is [hidden]",
  ]);
  assert(!program.stderr.includes("hunter2"));
  assertEquals(program.stdout, "");
});

test("weir run exits with 1 and names the source topics that are missing; they are read once they are there", async () => {
  const place = await newPlace();
  const missing = unique("missing");
  const body = `builder.stream(topic("${missing}", text)).to(topic("${place.to}", text));`;
  const program = weirRun(place, body);
  assertEquals((await program.exited).code, 1);
  assertStringIncludes(
    program.stderr,
    `weir: MissingSourceTopicException: Cannot start as one or more source topics are missing: current value is [${missing}]. Create them, or correct the topology's topic names`,
  );
  await subject.createTopic(missing, 1);
  await writeRaw(subject, missing, [{ key: "a", value: "1" }]);
  const again = weirRun(place, body);
  await readUntil(subject, place.to, 1, (rows) => rows.length >= 1);
  assertEquals(await again.stop(), { code: 0, signal: null });
});

test("weir run exits with 1 when a function throws, names processor and record, and the next run processes the record", async () => {
  const place = await newPlace();
  await writeRaw(subject, place.from, [
    { key: "a", value: "1" },
    { key: "b", value: "bad" },
    { key: "c", value: "3" },
  ]);
  const body = (fails: boolean) =>
    `builder.stream(topic("${place.from}", text))
      .peek((value) => { if (${fails} && value === "bad") throw new RangeError("it is bad"); })
      .to(topic("${place.to}", text));`;
  const program = weirRun(place, body(true));
  assertEquals((await program.exited).code, 1);
  assertMatch(
    program.stderr,
    new RegExp(
      `weir: StreamsException: Exception caught in process. taskId=0_0, processor=KSTREAM-PEEK-0000000001, topic=${place.from}, partition=0, offset=1\\n`,
    ),
  );
  assertStringIncludes(program.stderr, "RangeError: it is bad");
  assert(((await committedOffsets(subject, place.id))[`${place.from}-0`] ?? 0) <= 1);
  const again = weirRun(place, body(false));
  await readUntil(subject, place.to, 1, (rows) => rows.length >= 3);
  assertEquals(await again.stop(), { code: 0, signal: null });
  const rows = await readAllCommitted(subject, place.to, 1);
  assertEquals(rows.map((r) => r.value), ["1", "bad", "3"]);
});

test("weir run exits with 1 when another process holds the state directory, names its pid, and the other goes on", async () => {
  const place = await newPlace();
  const first = weirRun(place, copy(place));
  try {
    await writeRaw(subject, place.from, [{ key: "a", value: "1" }]);
    await readUntil(subject, place.to, 1, (rows) => rows.length >= 1);
    const second = weirRun(place, copy(place));
    assertEquals((await second.exited).code, 1);
    const lock = join(place.dir, "state", place.id, ".lock");
    assertStringIncludes(
      second.stderr,
      `weir: LockException: Cannot use the state directory as another process holds its lock ${lock}: current value is pid ${first.pid}. ` +
        "Stop that process, or give this one its own state.dir",
    );
    assertStringIncludes(readFileSync(lock, "utf8"), `"pid":${first.pid},`);
    await writeRaw(subject, place.from, [{ key: "b", value: "2" }]);
    await readUntil(subject, place.to, 1, (rows) => rows.length >= 2);
    assertEquals(await first.stop(), { code: 0, signal: null });
    const third = weirRun(place, copy(place));
    await writeRaw(subject, place.from, [{ key: "c", value: "3" }]);
    await readUntil(subject, place.to, 1, (rows) => rows.length >= 3);
    assertEquals(await third.stop(), { code: 0, signal: null });
  } finally {
    await first.kill();
  }
});

test("weir run waits for a broker that is down, alive and not ready, and stops at once when it is told to", async () => {
  const place = await newPlace();
  const address = `127.0.0.1:${await freePort()}`;
  const program = weirRun(place, copy(place), {
    "bootstrap.servers": address,
    "request.timeout.ms": "1000",
    "default.api.timeout.ms": "1000",
  });
  try {
    const url = await adminUrl(program);
    await program.waitForLine(/The broker does not answer; waiting for it/);
    assertEquals(await probes(url), [200, 503]);
    const began = performance.now();
    assertEquals(await program.stop(20_000), { code: 0, signal: null });
    assert(performance.now() - began < 20_000);
  } finally {
    await program.kill();
  }
});

test("weir run goes on when its broker was away for a while, and loses nothing", async () => {
  const place = await newPlace();
  const program = weirRun(place, copy(place));
  try {
    const url = await adminUrl(program);
    await writeRaw(subject, place.from, [{ key: "a", value: "1" }]);
    await readUntil(subject, place.to, 1, (rows) => rows.length >= 1);
    subject.broker.setBrokerUp(1, false);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    assertEquals((await probes(url))[0], 200);
    subject.broker.setBrokerUp(1, true);
    await writeRaw(subject, place.from, [{ key: "b", value: "2" }]);
    await readUntil(subject, place.to, 1, (rows) => rows.length >= 2);
    await eventually("it is ready", async () => (await probes(url))[1] === 200);
    assertEquals(await program.stop(), { code: 0, signal: null });
    const rows = await readAllCommitted(subject, place.to, 1);
    assertEquals(rows.map((r) => r.value), ["1", "2"]);
  } finally {
    await program.kill();
  }
});
