// State and input that do not stand at the same place, and work that was left half done: on the embedded broker.
import { after, before, test } from "node:test";
import { join } from "node:path";
import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/config.ts";
import { SchemaPending } from "../../lib/errors.ts";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import {
  API_KEYS,
  type EmbeddedBroker,
  startEmbeddedBroker,
} from "../../lib/kafka/embedded_broker.ts";
import { threadSettings } from "../../lib/runtime/thread_settings.ts";
import type { StreamRecord } from "../../lib/record/record.ts";
import { callAfter } from "../../lib/record/time.ts";
import { string } from "../../lib/serde/primitives.ts";
import type { Serde } from "../../lib/serde/serde.ts";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import type { KeyValueStore } from "../../lib/state/store.ts";
import { keyValueStoreBuilder } from "../../lib/state/stores.ts";
import { persistentKeyValueStore } from "../../lib/state/suppliers.ts";
import type { ProcessorContext } from "../../lib/topology/processor.ts";
import { Topology } from "../../lib/topology/topology.ts";
import { newTopic, type Subject, TIMEOUT_MS, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import {
  application,
  eventually,
  log,
  reaches,
  readAllCommitted,
  readUntil,
  testHome,
  writeRecords,
} from "./application.ts";
import { counting, passThrough } from "./counting.ts";
import { faultyClients, timedOut } from "./faulty_clients.ts";

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

const inDir = (run: (dir: string) => Promise<void>) => () =>
  log.printOnFailure(() => withTempDir(run));

test(
  "KafkaStreams commits what was done before it was paused",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    let processed = () => {};
    const topology = passThrough(from, to).addProcessor("watch", () => ({
      process: () => processed(),
    }), "source");
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": unique("pause"),
      "commit.interval.ms": 500,
    });
    await streams.start();
    await reaches(streams, "RUNNING");
    processed = () => streams.pause();
    await writeRecords(subject, from, [{ key: "k", value: "v" }]);
    await readUntil(subject, to, 1, (rows) => rows.length >= 1);
    await streams.close();
  }),
);

/** Counts in two stores, of which "z" only knows the key z. */
function twoStores(from: string, to: string): Topology {
  const store = (name: string) =>
    keyValueStoreBuilder(persistentKeyValueStore(name), { key: string(), value: string() });
  return new Topology()
    .addSource("source", from, TEXT)
    .addProcessor("both", () => {
      let context: ProcessorContext<string, string>;
      return {
        init(given: ProcessorContext<string, string>) {
          context = given;
        },
        process(record: StreamRecord<string, string>) {
          const name = record.key === "z" ? "zs" : "others";
          const counts = context.getStateStore<KeyValueStore<string, string>>(name);
          const count = String(Number(counts.get(record.key) ?? "0") + 1);
          counts.put(record.key, count);
          context.forward(record.withValue(count));
        },
      };
    }, "source")
    .addStateStore(store("others"), "both")
    .addStateStore(store("zs"), "both")
    .addSink("sink", to, TEXT, "both");
}

test(
  "Rows without a position, left by a restore that was interrupted, are not taken for restored",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const id = unique("left");
    const start = async () => {
      const streams = application(subject, twoStores(from, to), testHome(dir, "a"), {
        "application.id": id,
      });
      await streams.start();
      return streams;
    };
    const first = await start();
    await writeRecords(subject, from, [{ key: "a", value: "" }, { key: "a", value: "" }]);
    await readUntil(subject, to, 1, (rows) => rows.length >= 2);
    await first.close();
    const left = new LmdbEnvironment({ directory: join(dir, "0_0") });
    assert(left.committedOffset("others") !== undefined);
    assertEquals(left.committedOffset("zs"), undefined);
    // A row whose deletion has been compacted away since: the changelog says nothing of it.
    const encode = (text: string) => new TextEncoder().encode(text);
    left.open("zs").put(encode("z"), encode("41"));
    left.commit(new Map());
    left.close({ clean: false });
    const second = await start();
    await writeRecords(subject, from, [{ key: "a", value: "" }, { key: "z", value: "" }]);
    const rows = await readUntil(subject, to, 1, (rows) => rows.length >= 4);
    assertEquals(rows.map((r) => `${r.key}${r.value}`), ["a1", "a2", "a3", "z1"]);
    await second.close();
  }),
);

test(
  "A table whose source is its changelog does not know more than the input that is read again",
  inDir(async (dir) => {
    const rows = await newTopic(subject, "rows", 1);
    const to = await newTopic(subject, "to", 1);
    const id = unique("ahead");
    const topology = defineTopology((builder) => {
      builder.table(topic(rows, TEXT), { store: "rows" })
        .groupBy((value: string) => [value, value], TEXT)
        .count({ store: "counts" })
        .toStream()
        .mapValues((count) => String(count))
        .to(topic(to, TEXT));
    });
    const run = async (written: number) => {
      const streams = application(subject, topology, testHome(dir, "a"), {
        "application.id": id,
        "topology.optimization": "all",
        "statestore.cache.max.bytes": 0,
      });
      const restored: string[] = [];
      streams.setRestoreListener({
        onRestoreStart: ({ store }, start, end) => restored.push(`${store} ${start}-${end}`),
      });
      await streams.start();
      await readUntil(subject, to, 1, (r) => r.length >= written);
      await streams.close();
      return restored;
    };
    await writeRecords(
      subject,
      rows,
      ["one", "two", "three"].map((value) => ({ key: "k", value })),
    );
    // one +1; one -1, two +1; two -1, three +1
    await run(5);
    const admin = subject.clients.admin({ "bootstrap.servers": subject.bootstrapServers });
    await eventually("the group is empty", async () => {
      const [group] = await admin.describeGroups([id], TIMEOUT_MS);
      return group.members.length === 0;
    });
    await admin.alterGroupOffsets(id, [{ topic: rows, partition: 0, offset: 1 }], TIMEOUT_MS);
    await admin.close();
    const restored = await run(9);
    assertEquals(restored.filter((r) => r.startsWith("rows")), ["rows 0-1"]);
    const counts = await readAllCommitted(subject, to, 1);
    // The second and third row come again, each as the change that it was.
    assertEquals(counts.slice(5).map((r) => r.key), ["one", "two", "two", "three"]);
  }),
);

test(
  "A task that waited for its partitions is restored anew when its member had been put out of the group",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 2);
    const to = await newTopic(subject, "to", 2);
    const id = unique("away");
    const opened = new Map<string, number>();
    let isPutOut = false;
    let name = "first";
    const clients = faultyClients(subject.clients, {
      consumer: (real, role) =>
        role !== "consumer" ? {} : {
          memberId: () => name,
          takeRebalance() {
            const rebalance = real.takeRebalance();
            if (isPutOut && rebalance?.kind === "assign") name = "second";
            return rebalance;
          },
        },
    });
    const topology = passThrough(from, to).addProcessor("opens", () => {
      return {
        init({ taskId }: { readonly taskId: string }) {
          opened.set(taskId, (opened.get(taskId) ?? 0) + 1);
        },
        process() {},
      };
    }, "source");
    const streams = application({ ...subject, clients }, topology, testHome(dir, "a"), {
      "application.id": id,
      "group.instance.id": undefined,
    });
    await streams.start();
    await reaches(streams, "RUNNING");
    assertEquals([...opened.values()], [1, 1]);
    const disturb = async () => {
      const other = subject.clients.consumer({
        "bootstrap.servers": subject.bootstrapServers,
        "group.id": id,
        "session.timeout.ms": 6_000,
      });
      other.subscribe([await newTopic(subject, "elsewhere", 1)]);
      await eventually("the other has joined", async () => {
        other.poll(1);
        const rebalance = other.takeRebalance();
        if (rebalance === undefined) await other.wait(10);
        else other.completeRebalance(rebalance);
        return rebalance !== undefined;
      });
      await other.close();
      await reaches(streams, "RUNNING");
    };
    await disturb();
    assertEquals([...opened.values()], [1, 1], "tasks that come back at once stay open");
    isPutOut = true;
    await disturb();
    await eventually("they are opened again", () => opened.get("0_0")! + opened.get("0_1")! >= 3);
    await streams.close();
  }),
);

test(
  "A row of a global table that waits for its schema is taken in when that has come",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const names = await newTopic(subject, "names", 1);
    let asked = 0;
    let known = false;
    const plain = string();
    const waiting: Serde<string> = {
      ...plain,
      name: "waiting",
      encode: (value, out, site) => plain.encode(value, out, site),
      decode(bytes, start, end, site, headers) {
        const value = plain.decode(bytes, start, end, site, headers);
        if (value !== "late" || known) return value;
        asked++;
        throw new SchemaPending(
          "not yet",
          new Promise((resolve) =>
            callAfter(100, () => {
              known = true;
              resolve();
            })
          ),
        );
      },
    };
    const topology = defineTopology((builder) => {
      const table = builder.globalTable(topic(names, { key: string(), value: waiting }), {
        store: "names",
      });
      builder.stream(topic(from, TEXT))
        .leftJoin(
          table,
          (_, key) => key,
          (value: string, row: string | null) => `${value}/${row}`,
        )
        .to(topic(to, TEXT));
    });
    const streams = application(subject, topology, testHome(dir, "a"), {
      "application.id": unique("pending"),
    });
    await streams.start();
    await reaches(streams, "RUNNING");
    await writeRecords(subject, names, [{ key: "a", value: "late" }]);
    await eventually("the row is seen", async () => {
      await writeRecords(subject, from, [{ key: "a", value: "x" }]);
      const rows = await readAllCommitted(subject, to, 1);
      return rows.some((row) => row.value === "x/late");
    });
    assert(asked > 0);
    await streams.close();
  }),
);

test(
  "KafkaStreams asks again for the ends of changelogs when their leaders have just changed",
  inDir(async (dir) => {
    const FENCED_LEADER_EPOCH = 74;
    const from = await newTopic(subject, "from", 1);
    const to = await newTopic(subject, "to", 1);
    const streams = application(subject, counting(from, to), testHome(dir, "a"), {
      "application.id": unique("leader"),
    });
    broker.failNext(API_KEYS.listOffsets, FENCED_LEADER_EPOCH, FENCED_LEADER_EPOCH);
    await streams.start();
    await reaches(streams, "RUNNING");
    broker.failNext(API_KEYS.listOffsets);
    await streams.close();
  }),
);

test(
  "KafkaStreams looks again for partitions that are new when the cluster does not answer at once",
  inDir(async (dir) => {
    const from = await newTopic(subject, "from", 2);
    const to = await newTopic(subject, "to", 2);
    let asked = 0;
    const clients = faultyClients(subject.clients, {
      admin: (real) => ({
        async listTopics(timeoutMs) {
          asked++;
          if (asked === 2) throw timedOut();
          const topics = await real.listTopics(timeoutMs);
          // At first the topic seems to have one partition less than the group gives out.
          return asked > 1
            ? topics
            : topics.map((t) => t.topic === from ? { ...t, partitions: 1 } : t);
        },
      }),
    });
    const streams = application(
      { ...subject, clients },
      passThrough(from, to),
      testHome(dir, "a"),
      {
        "application.id": unique("grown"),
      },
    );
    await streams.start();
    await writeRecords(subject, from, [{ key: "k", value: "v", partition: 1 }]);
    await readUntil(subject, to, 2, (rows) => rows.length >= 1);
    assertEquals(streams.failure, undefined);
    await streams.close();
  }),
);

test("A member of a KIP-848 group is not static by itself: nobody could take the place of one that died", () => {
  const identity = { name: "a-1", index: 1, processId: "p", stable: true };
  const instanceId = (config: Readonly<Record<string, unknown>>) =>
    threadSettings(
      parseConfig({ "application.id": "a", "bootstrap.servers": "b:1", ...config }),
      identity,
    ).consumerConfig["group.instance.id"];
  assertEquals(instanceId({}), "p-1");
  assertEquals(instanceId({ "group.protocol": "consumer" }), undefined);
  assertEquals(instanceId({ "group.protocol": "consumer", "group.instance.id": "i" }), "i-1");
});

test(
  "A record that waits for another partition does not move stream time, not even over a restart",
  inDir(async (dir) => {
    const times: string[] = [];
    const slow = await newTopic(subject, "slow", 1);
    const fast = await newTopic(subject, "fast", 1);
    const to = await newTopic(subject, "to", 1);
    const topology = new Topology()
      .addSource("source", [slow, fast], TEXT)
      .addProcessor("times", () => {
        let context: ProcessorContext<string, string>;
        return {
          init(given: ProcessorContext<string, string>) {
            context = given;
          },
          process(record: StreamRecord<string, string>) {
            times.push(`${record.value}@${context.currentStreamTimeMs()}`);
            context.forward(record);
          },
        };
      }, "source")
      .addSink("sink", to, TEXT, "times");
    const id = unique("waits");
    const run = async (records: number) => {
      const streams = application(subject, topology, testHome(dir, "a"), {
        "application.id": id,
        "max.task.idle.ms": 600_000,
      });
      await streams.start();
      await readUntil(subject, to, 1, (rows) => rows.length >= records);
      await streams.close();
    };
    const write = (topic: string, value: string, timestamp: number) =>
      writeRecords(subject, topic, [{ key: "k", value, timestamp }]);
    await write(slow, "s1", 1_000);
    await write(fast, "f1", 9_000);
    await run(1);
    await write(slow, "s2", 2_000);
    await run(2);
    assertEquals(times, ["s1@1000", "s2@2000"]);
  }),
);
