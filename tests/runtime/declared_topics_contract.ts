// What applications do with topics that their topologies declare, on the embedded broker as on Apache Kafka.
import { test } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import {
  MissingSourceTopicException,
  StreamsException,
  TopologyException,
} from "../../lib/errors.ts";
import type { Admin } from "../../lib/kafka/client.ts";
import { days } from "../../lib/record/time.ts";
import { string } from "../../lib/serde/primitives.ts";
import type { TopicDeclaration } from "../../lib/topology/declared_topic.ts";
import { newTopic, type Subject, TIMEOUT_MS, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { application, log, reaches, readUntil, testHome, writeRecords } from "./application.ts";

const TEXT = { key: string(), value: string() };

/** Registers the suite for one kind of broker. */
export function declaredTopicsContract(kind: string, subject: () => Subject): void {
  const inDir = (run: (dir: string) => Promise<void>) => () =>
    log.printOnFailure(() => withTempDir(run));

  function joining(names: { from: string; to: string; table: string }, given: TopicDeclaration) {
    const declared = { ...TEXT, ...given };
    return defineTopology((builder) => {
      const table = builder.globalTable(topic(names.table, declared));
      builder.stream(topic(names.from, declared))
        .leftJoin(table, (_, key) => key, (value: string, row) => value + (row ?? ""))
        .to(topic(names.to, { ...declared, partitions: 5 }));
      builder.declareTopic(`${names.to}-dlq`, { partitions: 1 });
    });
  }

  async function withAdmin(run: (admin: Admin) => Promise<void>): Promise<void> {
    const admin = subject().clients.admin({ "bootstrap.servers": subject().bootstrapServers });
    try {
      await run(admin);
    } finally {
      await admin.close();
    }
  }

  const start = (dir: string, source: Parameters<typeof application>[1]) =>
    application(subject(), source, testHome(dir, "a"), { "application.id": unique("declaring") });

  test(
    `KafkaStreams makes the declared topics that are missing, and takes them as they are afterwards (${kind})`,
    inDir(async (dir) => {
      const names = { from: unique("from"), to: unique("to"), table: unique("table") };
      const settings = { "cleanup.policy": "compact,delete", "retention.ms": days(7) };
      const topology = joining(names, { partitions: 3, replicationFactor: 1, settings });
      const first = start(dir, topology);
      await first.start();
      await reaches(first, "RUNNING");
      await writeRecords(subject(), names.from, [{ key: "a", value: "1" }]);
      const rows = await readUntil(subject(), names.to, 5, (r) => r.length === 1);
      assertEquals(rows[0].value, "1");
      await first.close();
      await withAdmin(async (admin) => {
        const topics = [names.from, names.to, names.table, `${names.to}-dlq`];
        const described = await admin.describeTopics(topics, TIMEOUT_MS);
        assertEquals(described.map((t) => t.partitions), [3, 5, 3, 1]);
        if (kind === "real") assertEquals(described.map((t) => t.replicas), [1, 1, 1, 1]);
        for (const name of topics.slice(0, 3)) {
          const config = await admin.topicConfig(name, TIMEOUT_MS);
          assertEquals(config["retention.ms"], String(days(7)));
          assertEquals(config["cleanup.policy"].split(",").sort(), ["compact", "delete"]);
        }
      });
      // Lists have no order, so this is the same declaration.
      const same = { "cleanup.policy": "delete, compact", "retention.ms": String(days(7)) };
      const second = start(dir, joining(names, { partitions: 3, settings: same }));
      await second.start();
      await reaches(second, "RUNNING");
      await second.close();
    }),
  );

  test(
    `KafkaStreams names all differences between topics and their declarations (${kind})`,
    inDir(async (dir) => {
      const from = await newTopic(subject(), "from", 2);
      const to = await newTopic(subject(), "to", 2);
      const topology = defineTopology((builder) => {
        builder.stream(topic(from, {
          ...TEXT,
          partitions: 12,
          ...(kind === "real" ? { replicationFactor: 3 } : {}),
          settings: { "cleanup.policy": "compact" },
        })).to(topic(to, { ...TEXT, partitions: 2, settings: { "max.message.bytes": 7 } }));
      });
      const streams = start(dir, topology);
      await streams.start();
      await reaches(streams, "ERROR");
      const failure = streams.failure!;
      assert(failure instanceof TopologyException, String(failure));
      const lines = [
        "Cannot start as declared topics must be as they are declared",
        `${from}: partitions is declared as 12: current value is 2`,
        `${from}: cleanup.policy is declared as compact: current value is delete`,
        `${to}: max.message.bytes is declared as 7: current value is 1048588`,
        "Change the topics (kafka-topics --alter, kafka-configs --alter), or their declarations",
        ...(kind === "real"
          ? [`${from}: replicationFactor is declared as 3: current value is 1`]
          : []),
      ];
      for (const line of lines) assertStringIncludes(failure.message, line);
    }),
  );

  test(
    `KafkaStreams refuses a global topic that is not as declared before it is read (${kind})`,
    inDir(async (dir) => {
      const table = await newTopic(subject(), "table", 2);
      const names = { from: unique("from"), to: unique("to"), table };
      const streams = start(dir, joining(names, { partitions: 3 }));
      const error = await assertRejects(() => streams.start(), TopologyException);
      assertStringIncludes(error.message, `${table}: partitions is declared as 3`);
    }),
  );

  test(
    `KafkaStreams does not make topics that are not declared (${kind})`,
    inDir(async (dir) => {
      const to = await newTopic(subject(), "to", 1);
      const topology = defineTopology((builder) => {
        builder.stream(topic(unique("missing"), TEXT)).to(topic(to, TEXT));
      });
      const streams = start(dir, topology);
      await streams.start();
      await reaches(streams, "ERROR");
      assert(streams.failure instanceof MissingSourceTopicException, String(streams.failure));
    }),
  );

  if (kind !== "real") return;
  test(
    `KafkaStreams tells why a broker refuses to make a declared topic (${kind})`,
    inDir(async (dir) => {
      const from = await newTopic(subject(), "from", 1);
      const topology = defineTopology((builder) => {
        builder.stream(topic(from, TEXT)).to(topic(unique("to"), {
          ...TEXT,
          partitions: 1,
          settings: { "cleanup.policy": "never" },
        }));
      });
      const streams = start(dir, topology);
      await streams.start();
      await reaches(streams, "ERROR");
      const failure = streams.failure!;
      assert(failure instanceof StreamsException, String(failure));
      assertStringIncludes(failure.message, "Cannot make the declared topic to-");
      assertStringIncludes(
        failure.message,
        "correct its partitions, replicationFactor and settings",
      );
    }),
  );
}
