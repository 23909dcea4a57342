// A rate limit in a running application holds its own task's sources, and nothing else.
import { after, before, test } from "node:test";
import { assertEquals } from "@std/assert";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { string } from "../../lib/serde/primitives.ts";
import type { Processor, ProcessorContext } from "../../lib/topology/processor.ts";
import { RateLimiter } from "../../lib/topology/rate_limiter.ts";
import { newTopic, type Subject, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import {
  application,
  log,
  readAllCommitted,
  readUntil,
  testHome,
  writeRecords,
} from "./application.ts";

const TEXT = { key: string(), value: string() };
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

const rows = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: "k", value: `${i}` }));

test("A rate limit holds its task's sources while other tasks of the thread go on, and a restart goes on behind it", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const [slow, fast] = [await newTopic(subject, "slow"), await newTopic(subject, "fast")];
      const [limited, free] = [await newTopic(subject, "limited"), await newTopic(subject, "free")];
      // One record in a thousand seconds: within a test that is never.
      const topology = defineTopology((builder) => {
        builder.stream(topic(slow, TEXT)).rateLimit({ recordsPerSecond: 0.001, burst: 3 })
          .to(topic(limited, TEXT));
        builder.stream(topic(fast, TEXT)).to(topic(free, TEXT));
      });
      await writeRecords(subject, slow, rows(10));
      const config = { "application.id": unique("limit") };
      for (let round = 1; round <= 2; round++) {
        const streams = application(subject, topology, testHome(dir, "a"), config);
        await streams.start();
        await readUntil(subject, limited, 1, (r) => r.length >= 3 * round);
        await writeRecords(subject, fast, rows(2_000));
        await readUntil(subject, free, 1, (r) => r.length >= 2_000 * round);
        assertEquals(await streams.close(), true);
        const passed = await readAllCommitted(subject, limited, 1);
        assertEquals(passed.map((r) => r.value), rows(3 * round).map((r) => r.value));
      }
    })
  ));

class Limited implements Processor<string, string, string, string> {
  readonly #limiter = new RateLimiter({ recordsPerSecond: 200, burst: 5 });
  #context!: ProcessorContext<string, string>;
  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }
  process(record: Parameters<Processor<string, string>["process"]>[0]): void {
    this.#limiter.take(this.#context);
    this.#context.forward(record);
  }
}

test("A processor's own rate limiter lets every record through in the end, in order", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const [from, to] = [await newTopic(subject, "from"), await newTopic(subject, "to")];
      const topology = defineTopology((builder) => {
        builder.stream(topic(from, TEXT)).process(() => new Limited()).to(topic(to, TEXT));
      });
      await writeRecords(subject, from, rows(60));
      const streams = application(subject, topology, testHome(dir, "a"), {
        "application.id": unique("limiter"),
      });
      await streams.start();
      const passed = await readUntil(subject, to, 1, (r) => r.length >= 60);
      await streams.close();
      assertEquals(passed.map((r) => r.value), rows(60).map((r) => r.value));
    })
  ));
