// What goes wrong beneath an application, on the embedded broker, which fails on demand.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import {
  API_KEYS,
  type EmbeddedBroker,
  startEmbeddedBroker,
} from "../../lib/kafka/embedded_broker.ts";
import { newTopic, type Plain, type Subject, unique } from "../kafka/subject.ts";
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

const PARTITIONS = 2;
const KEYS = 10;
/** Error codes of the protocol. */
const CODES = {
  illegalGeneration: 22,
  messageTooLarge: 10,
  coordinatorLoading: 14,
  invalidProducerEpoch: 47,
  concurrentTransactions: 51,
  producerFenced: 90,
} as const;

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

const keyed = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i % KEYS}`, value: `v${i}` }));

function assertCountsAreWhole(rows: readonly Plain[], each: number): void {
  const byKey = Map.groupBy(rows, (row) => row.key!);
  assertEquals(byKey.size, KEYS);
  for (const [key, own] of byKey) {
    const counts = own.map((row) => Number(row.value));
    assertEquals(counts, Array.from({ length: each }, (_, i) => i + 1), `the counts of ${key}`);
  }
}

const FAULTS: readonly {
  readonly name: string;
  readonly apiKey: number;
  readonly codes: number[];
}[] = [
  {
    name: "a commit of offsets with an old generation",
    apiKey: API_KEYS.txnOffsetCommit,
    codes: [CODES.illegalGeneration],
  },
  {
    name: "a producer that is fenced at the end of a transaction",
    apiKey: API_KEYS.endTxn,
    codes: [CODES.producerFenced],
  },
  {
    name: "a producer whose epoch is old when it writes",
    apiKey: API_KEYS.produce,
    codes: [CODES.invalidProducerEpoch],
  },
  {
    name: "a coordinator that loads for a while",
    apiKey: API_KEYS.endTxn,
    codes: [CODES.coordinatorLoading, CODES.coordinatorLoading],
  },
  {
    name: "partitions that cannot be added for a while",
    apiKey: API_KEYS.addPartitionsToTxn,
    codes: [CODES.concurrentTransactions, CODES.concurrentTransactions],
  },
];

for (const { name, apiKey, codes } of FAULTS) {
  test(`KafkaStreams loses nothing and writes nothing twice after ${name}`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", PARTITIONS);
        const to = await newTopic(subject, "to", PARTITIONS);
        const streams = application(subject, counting(from, to), testHome(dir, "a"), {
          "application.id": unique("fault"),
        });
        await streams.start();
        await writeRecords(subject, from, keyed(200));
        await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= 200);
        // Paused, so that it is the application's request that fails, not that of the test's own producer.
        streams.pause();
        await writeRecords(subject, from, keyed(200));
        broker.failNext(apiKey, ...codes);
        streams.resume();
        await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= 400);
        await writeRecords(subject, from, keyed(200));
        await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= 600);
        broker.failNext(apiKey);
        assertEquals(await streams.close(), true);
        const rows = await readAllCommitted(subject, to, PARTITIONS);
        assertEquals(rows.length, 600);
        assertCountsAreWhole(rows, 600 / KEYS);
      })
    ));
}

test("KafkaStreams waits for a broker that is down at its start", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const own = startEmbeddedBroker();
      const there: Subject = {
        ...subject,
        clients: embeddedClients(own),
        bootstrapServers: own.bootstrapServers,
      };
      own.createTopic("in", 1);
      own.createTopic("out", 1);
      await writeRecords(there, "in", keyed(10));
      own.setBrokerUp(1, false);
      const streams = application(there, passThrough("in", "out"), testHome(dir, "a"), {
        "application.id": "waiting",
        "socket.timeout.ms": 1_000,
      });
      await streams.start();
      await eventually("it is starting", () => streams.threads()[0]?.state === "STARTING");
      await new Promise((resolve) => setTimeout(resolve, 500));
      assertEquals(streams.state, "REBALANCING");
      own.setBrokerUp(1, true);
      await readUntil(there, "out", 1, (rows) => rows.length >= 10);
      await streams.close();
      own.close();
    })
  ));

for (
  const { handler, state } of [
    { handler: "dead-letter-queue", state: "RUNNING" },
    { handler: "log-and-fail", state: "ERROR" },
  ]
) {
  test(`KafkaStreams asks the production handler about a record that the broker refuses: ${handler}`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        const letters = await newTopic(subject, "letters", 1);
        const streams = application(subject, passThrough(from, to), testHome(dir, "a"), {
          "application.id": unique("production"),
          "processing.guarantee": "at_least_once",
          "producer.linger.ms": 0,
          "production.exception.handler": handler,
          "errors.dead.letter.queue.topic.name": letters,
        });
        await streams.start();
        await reaches(streams, "RUNNING");
        streams.pause();
        await writeRecords(subject, from, [{ key: "a", value: "refused" }]);
        await eventually("it waits", () => streams.threads()[0].tasks[0].buffered === 1);
        broker.failNext(API_KEYS.produce, CODES.messageTooLarge);
        streams.resume();
        if (state === "ERROR") await reaches(streams, "ERROR");
        else {
          const [letter] = await readUntil(subject, letters, 1, (rows) => rows.length >= 1);
          assertEquals(letter.value, "refused");
          const headers = new Map(
            letter.headers.map((h) => [h.name, new TextDecoder().decode(h.value!)]),
          );
          assertEquals(headers.get("__streams.errors.topic"), from);
          assertEquals(headers.get("__streams.errors.offset"), "0");
          assert(headers.get("__streams.errors.message")!.includes("MSG_SIZE_TOO_LARGE"));
          await writeRecords(subject, from, [{ key: "b", value: "next" }]);
          await readUntil(subject, to, 1, (rows) => rows.some((row) => row.value === "next"));
          await streams.close();
        }
      })
    ));
}

test("KafkaStreams replaces a thread that has failed, and goes on behind the record when it is told to", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      let left = 2;
      const topology = passThrough(from, to);
      topology.addProcessor("fails", () => ({
        process() {
          if (left-- > 0) throw new RangeError("not yet");
        },
      }), "source");
      const streams = application(subject, topology, testHome(dir, "a"), {
        "application.id": unique("replace"),
      });
      const failures: Error[] = [];
      streams.setUncaughtExceptionHandler((error) => {
        failures.push(error);
        return "replace-thread";
      });
      await streams.start();
      await writeRecords(subject, from, [{ key: "a", value: "1" }, { key: "b", value: "2" }]);
      const rows = await readUntil(subject, to, 1, (rows) => rows.length >= 2);
      assertEquals(rows.map((r) => r.value), ["1", "2"]);
      assertEquals(failures.length, 2);
      assert(
        failures[0].message.startsWith("Exception caught in process. taskId=0_0, processor=fails"),
      );
      await streams.close();
      assertEquals((await readAllCommitted(subject, to, 1)).length, 2);
    })
  ));

test("KafkaStreams neither processes nor commits while it is paused", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const streams = application(subject, passThrough(from, to), testHome(dir, "a"), {
        "application.id": unique("paused"),
      });
      streams.pause();
      await streams.start();
      await reaches(streams, "RUNNING");
      await writeRecords(subject, from, keyed(10));
      await eventually("the records wait", () => streams.threads()[0].tasks[0].buffered === 10);
      assertEquals((await readAllCommitted(subject, to, 1)).length, 0);
      streams.resume();
      await readUntil(subject, to, 1, (rows) => rows.length >= 10);
      await streams.close();
    })
  ));

test("KafkaStreams commits early when memory holds too many writes", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const streams = application(subject, counting(from, to), testHome(dir, "a"), {
        "application.id": unique("early"),
        "commit.interval.ms": 9_000,
        "statestore.uncommitted.max.bytes": 1_000,
      });
      await streams.start();
      await writeRecords(
        subject,
        from,
        Array.from({ length: 2_000 }, (_, i) => ({ key: `k${i}`, value: "v" })),
      );
      await readUntil(subject, to, 1, (rows) => rows.length >= 1_500);
      await streams.close();
    })
  ));

for (const protocol of ["classic", "consumer"]) {
  test(`KafkaStreams ends all instances of an application when the handler says so (${protocol})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const from = await newTopic(subject, "from", 4);
        const to = await newTopic(subject, "to", 4);
        const id = unique("all");
        const grouping = protocol === "classic" ? {} : {
          "group.protocol": "consumer",
          "session.timeout.ms": undefined,
          "heartbeat.interval.ms": undefined,
        };
        const start = async (name: string) => {
          const topology = passThrough(from, to).addProcessor("fails", () => ({
            process({ value }: { readonly value: string }) {
              if (value === "fail") throw new RangeError("asked to fail");
            },
          }), "source");
          const streams = application(subject, topology, testHome(`${dir}/${name}`, name), {
            "application.id": id,
            ...grouping,
          });
          streams.setUncaughtExceptionHandler(() => "shutdown-application");
          await streams.start();
          return streams;
        };
        const all = [await start("a"), await start("b"), await start("c")];
        await eventually(
          "all have tasks",
          () => all.every((s) => s.threads()[0]?.tasks.length > 0 && s.state === "RUNNING"),
        );
        for (let partition = 0; partition < 4; partition++) {
          await writeRecords(subject, from, [{ key: "k", value: "well", partition }]);
        }
        await readUntil(subject, to, 4, (rows) => rows.length >= 4);
        await writeRecords(subject, from, [{ key: "k", value: "fail", partition: 0 }]);
        for (const streams of all) await reaches(streams, "ERROR");
        const names = all.map((streams) => streams.failure!.name);
        assertEquals(names.filter((name) => name === "ApplicationShutdownException").length, 2);
        // The next run is another one: it begins where the last was committed, and fails of its own.
        const again = await start("a");
        await reaches(again, "ERROR");
        assertEquals(again.failure!.name, "StreamsException");
      })
    ));
}
