// Traces through a running application: two Workers, a repartition topic, a cached store, dead letters.
import { after, before, test } from "node:test";
import { readFileSync, writeFileSync } from "node:fs";
import { assert, assertEquals } from "@std/assert";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { Headers } from "../../lib/record/headers.ts";
import { KafkaStreams } from "../../lib/streams.ts";
import {
  newProducer,
  newTopic,
  type Plain,
  type Subject,
  unique,
  write,
} from "../kafka/subject.ts";
import { reaches, readUntil } from "../runtime/application.ts";
import type { PlainSpan } from "../support/otel.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { spansModule } from "./spans_file.ts";

const PARTITIONS = 2;
const TRACE = "c".repeat(32);
const UPSTREAM = "d".repeat(16);
let broker: EmbeddedBroker;
let subject: Subject;
before(() => {
  broker = startEmbeddedBroker();
  subject = {
    kind: "embedded",
    clients: embeddedClients(broker),
    bootstrapServers: broker.bootstrapServers,
    createTopic: async (topic, partitions) => broker.createTopic(topic, partitions),
    close: async () => broker.close(),
  };
});
after(() => subject.close());

interface Outcome {
  readonly from: string;
  readonly to: string;
  readonly dead: string;
  readonly applicationId: string;
  readonly out: readonly Plain[];
  readonly letters: readonly Plain[];
}

/** One record with a trace, one without and one that fails with another trace, through the application. */
async function runOrders(dir: string, more: Readonly<Record<string, unknown>>): Promise<Outcome> {
  const from = await newTopic(subject, "from", PARTITIONS);
  const to = await newTopic(subject, "to", PARTITIONS);
  const dead = await newTopic(subject, "dead", PARTITIONS);
  const applicationId = unique("traced");
  const streams = new KafkaStreams(
    { url: new URL("./traced_topology.ts", import.meta.url).href },
    {
      "application.id": applicationId,
      "bootstrap.servers": `embedded://${subject.bootstrapServers}`,
      "processing.guarantee": "exactly_once_v2",
      "processing.exception.handler": "dead-letter-queue",
      "errors.dead.letter.queue.topic.name": dead,
      "num.stream.threads": 2,
      "state.dir": dir,
      "log.level": "silent",
      "app.from": from,
      "app.to": to,
      ...more,
    },
  );
  await streams.start();
  await reaches(streams, "RUNNING");
  const producer = newProducer(subject);
  const traced = (trace: string) =>
    Headers.EMPTY.add("traceparent", `00-${trace}-${UPSTREAM}-01`).add("other", "x");
  await write(producer, from, ["a"], 0, traced(TRACE));
  await write(producer, from, ["b"], 1);
  await write(producer, from, ["poison"], 1, traced("e".repeat(32)));
  await producer.close();
  const out = await readUntil(subject, to, PARTITIONS, (rows) => rows.length === 2);
  const letters = await readUntil(subject, dead, PARTITIONS, (rows) => rows.length === 1);
  assert(await streams.close());
  return { from, to, dead, applicationId, out, letters };
}

function traceparent(row: Plain): readonly string[] | undefined {
  const value = row.headers.find((header) => header.name === "traceparent")?.value;
  return value ? new TextDecoder().decode(value).split("-") : undefined;
}
const rowOf = (rows: readonly Plain[], key: string) => rows.find((row) => row.key === key)!;

test("A record's trace goes through Workers, repartition topics, caches and dead letters", () =>
  withTempDir(async (dir) => {
    const file = `${dir}/spans.jsonl`;
    writeFileSync(`${dir}/tracing.ts`, spansModule(file));
    const { from, to, dead, applicationId, out, letters } = await runOrders(dir, {
      "tracing.module": `${dir}/tracing.ts`,
    });
    const spans = readFileSync(file, "utf8").trim().split("\n")
      .map((line) => JSON.parse(line) as PlainSpan);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const chain = (row: Plain) => {
      const names: string[] = [];
      let id: string | undefined = traceparent(row)![2];
      for (let span = byId.get(id); span !== undefined; span = byId.get(id!)) {
        names.push(span.name);
        id = span.parent;
      }
      return { trace: traceparent(row)![1], names, root: id };
    };

    const repartition = `${applicationId}-by-value-repartition`;
    const names = [
      `send ${to}`,
      `process ${repartition}`,
      `send ${repartition}`,
      `process ${from}`,
    ];
    assertEquals(chain(rowOf(out, "a")), { trace: TRACE, names, root: UPSTREAM });
    assertEquals(rowOf(out, "a").headers.map((header) => header.name).sort(), [
      "other",
      "traceparent",
    ]);
    const own = chain(rowOf(out, "b"));
    assertEquals([own.names, own.root], [names, undefined]);
    assertEquals(chain(letters[0]), {
      trace: "e".repeat(32),
      names: [`send ${dead}`, `process ${from}`],
      root: UPSTREAM,
    });

    const processed = spans.filter((span) => span.name.startsWith("process "));
    assertEquals(processed.length, 5);
    assertEquals(processed.filter((span) => span.error !== undefined).map((span) => span.error), [
      "poisoned",
    ]);
    const threads = new Set(processed.map((span) => span.attributes["kafka.streams.thread.id"]));
    assert([...threads].every((name) => /-StreamThread-[12]$/.test(String(name))));
    const commits = spans.filter((span) => span.name === "commit");
    assertEquals(
      new Set(commits.flatMap((span) => span.links)),
      new Set(processed.map((span) => span.spanId)),
    );
  }));

test("Without an SDK a record keeps the headers that it came with", () =>
  withTempDir(async (dir) => {
    const { out } = await runOrders(dir, {});
    assertEquals(traceparent(rowOf(out, "a")), ["00", TRACE, UPSTREAM, "01"]);
    assertEquals(traceparent(rowOf(out, "b")), undefined);
  }));

test("An application does not start without the tracing module that it is told to import", () =>
  withTempDir(async (dir) => {
    const streams = new KafkaStreams(
      { url: new URL("./traced_topology.ts", import.meta.url).href },
      {
        "application.id": unique("traced"),
        "bootstrap.servers": `embedded://${subject.bootstrapServers}`,
        "state.dir": dir,
        "log.level": "silent",
        "tracing.module": `${dir}/missing.ts`,
      },
    );
    const error = await streams.start().catch((thrown) => thrown);
    assertEquals(error.name, "ConfigException");
    assert(error.message.includes("tracing.module"));
  }));
