// Commits whose outcome nobody knows, and aborts that fail: on the embedded broker.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { KafkaClients, Producer } from "../../lib/kafka/client.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
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
import { counting } from "./counting.ts";
import { faultyClients, timedOut } from "./faulty_clients.ts";

const KEYS = 10;

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

/** Counts 400 records while `faults`, once armed, break the producer; the counts must come out as if nothing had been. */
async function countThrough(
  breaking: (real: Producer, isArmed: () => boolean, disarm: () => void) => Partial<Producer>,
  patienceMs = 300,
): Promise<void> {
  await withTempDir(async (dir) => {
    let armed = false;
    let broken = 0;
    const clients: KafkaClients = faultyClients(subject.clients, {
      producer: (real) =>
        breaking(real, () => armed, () => {
          armed = false;
          broken++;
        }),
    });
    const from = await newTopic(subject, "from", 2);
    const to = await newTopic(subject, "to", 2);
    const streams = application({ ...subject, clients }, counting(from, to), testHome(dir, "a"), {
      "application.id": unique("unknown"),
      "task.timeout.ms": patienceMs,
    });
    await streams.start();
    await writeRecords(subject, from, keyed(200));
    await readUntil(subject, to, 2, (rows) => rows.length >= 200);
    armed = true;
    await writeRecords(subject, from, keyed(200));
    await readUntil(subject, to, 2, (rows) => rows.length >= 400);
    assertEquals(streams.failure, undefined);
    assertEquals(await streams.close(), true);
    assert(broken > 0, "nothing was broken");
    const rows = await readAllCommitted(subject, to, 2);
    assertEquals(rows.length, 400);
    for (const [key, own] of Map.groupBy(rows, (row) => row.key!)) {
      const counts = own.map((row) => Number(row.value));
      assertEquals(counts, Array.from({ length: 40 }, (_, i) => i + 1), `the counts of ${key}`);
    }
  });
}

/** librdkafka refuses other calls while a commit is unresolved. */
async function refuseWhile(unresolved: boolean, abort: () => Promise<void>): Promise<void> {
  if (unresolved) throw timedOut();
  return await abort();
}

test("KafkaStreams settles a commit that took effect though no answer came", () =>
  log.printOnFailure(() =>
    countThrough((real, isArmed, disarm) => {
      let unresolved = false;
      return {
        async commitTransaction(timeoutMs) {
          if (unresolved) throw timedOut();
          await real.commitTransaction(timeoutMs);
          if (!isArmed()) return;
          unresolved = true;
          disarm();
          throw timedOut();
        },
        abortTransaction: (timeoutMs) =>
          refuseWhile(unresolved, () => real.abortTransaction(timeoutMs)),
      };
    })
  ));

test("KafkaStreams settles a commit that never took effect and was not answered", () =>
  log.printOnFailure(() =>
    countThrough((real, isArmed, disarm) => {
      let unresolved = false;
      return {
        async commitTransaction(timeoutMs) {
          if (isArmed()) {
            unresolved = true;
            disarm();
          }
          if (unresolved) throw timedOut();
          await real.commitTransaction(timeoutMs);
        },
        abortTransaction: (timeoutMs) =>
          refuseWhile(unresolved, () => real.abortTransaction(timeoutMs)),
      };
    })
  ));

test("KafkaStreams goes on with another producer when an abort is not answered", () =>
  log.printOnFailure(() =>
    countThrough((real, isArmed, disarm) => {
      let isStuck = false;
      return {
        async sendOffsets(offsets, group, timeoutMs) {
          if (isArmed()) {
            isStuck = true;
            disarm();
          }
          if (isStuck) throw timedOut();
          await real.sendOffsets(offsets, group, timeoutMs);
        },
        abortTransaction: (timeoutMs) =>
          refuseWhile(isStuck, () => real.abortTransaction(timeoutMs)),
      };
    })
  ));
