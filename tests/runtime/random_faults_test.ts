// Requests that fail at random, before or after they took effect: on the embedded broker, by a seed.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { KafkaError } from "../../lib/errors.ts";
import { embeddedClients } from "../../lib/kafka/embedded_clients.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../lib/kafka/embedded_broker.ts";
import { newTopic, type Subject, unique } from "../kafka/subject.ts";
import { type Random, seededRandom } from "../support/random.ts";
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

const PARTITIONS = 3;
const KEYS = 20;
const PER_ROUND = 100;
/** Fewer transactions are made where the machine is slow: rounds go on until as many requests failed. */
const FAULTS = 8;
const MOST_ROUNDS = 150;

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

const refused = (codeName: string, facts: { abortable?: boolean; fatal?: boolean } = {}) =>
  new KafkaError(`asked to fail: ${codeName}`, { code: -1, codeName, ...facts });

/** What a request may fail with, and whether that may come after it took effect. */
const FAILURES: readonly (() => KafkaError)[] = [
  timedOut,
  () => refused("REQUEST_TIMED_OUT", { abortable: true }),
  () => refused("ILLEGAL_GENERATION", { abortable: true }),
  () => refused("UNKNOWN_MEMBER_ID", { abortable: true }),
  () => refused("PRODUCER_FENCED", { fatal: true }),
  () => refused("INVALID_PRODUCER_EPOCH", { abortable: true }),
];

/** Makes calls of a client fail, one in `oneIn`, half of them after the real call. */
class Chaos {
  isOn = true;
  count = 0;
  readonly #random: Random;
  constructor(random: Random) {
    this.#random = random;
  }

  /** `what` failed for the moment after it took effect: tried again it succeeds, as a client goes on with the request that it gave up waiting for. */
  readonly #settled = new Set<string>();

  async around(what: string, oneIn: number, call: () => Promise<void>): Promise<void> {
    if (this.#settled.delete(what)) return;
    if (!this.isOn || !this.#random.chance(1 / oneIn)) return await call();
    this.count++;
    const isDone = this.#random.chance(0.5);
    if (isDone) await call();
    const failure = this.#random.pick(FAILURES)();
    if (isDone && failure.retriable && what !== "abort") this.#settled.add(what);
    throw failure;
  }
}

test("KafkaStreams loses nothing and writes nothing twice while requests of its producer fail at random", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const random = seededRandom("random faults");
      const chaos = new Chaos(random);
      const clients = faultyClients(subject.clients, {
        producer: (real) => ({
          flush: (ms) => chaos.around("flush", 20, () => real.flush(ms)),
          sendOffsets: (offsets, group, ms) =>
            chaos.around("offsets", 8, () => real.sendOffsets(offsets, group, ms)),
          commitTransaction: (ms) => chaos.around("commit", 8, () => real.commitTransaction(ms)),
          abortTransaction: (ms) => chaos.around("abort", 4, () => real.abortTransaction(ms)),
        }),
      });
      const from = await newTopic(subject, "from", PARTITIONS);
      const to = await newTopic(subject, "to", PARTITIONS);
      const streams = application({ ...subject, clients }, counting(from, to), testHome(dir, "a"), {
        "application.id": unique("random"),
        "task.timeout.ms": 200,
        "commit.interval.ms": 20,
      });
      await streams.start();
      const round = async () => {
        const records = Array.from({ length: PER_ROUND }, (_, i) => ({
          key: `k${i % KEYS}`,
          value: `${rounds}.${i}`,
        }));
        await writeRecords(subject, from, records);
        rounds++;
      };
      const allArrived = async () => {
        const wanted = rounds * PER_ROUND;
        await readUntil(subject, to, PARTITIONS, (rows) => rows.length >= wanted);
      };
      let rounds = 0;
      while (rounds < 12 || chaos.count < FAULTS && rounds < MOST_ROUNDS) {
        await round();
        if (rounds % 3 === 0) await allArrived();
      }
      chaos.isOn = false;
      await round();
      await allArrived();
      assertEquals(streams.failure, undefined);
      assertEquals(await streams.close(), true);
      assert(chaos.count >= FAULTS, `only ${chaos.count} requests failed in ${rounds} rounds`);
      const rows = await readAllCommitted(subject, to, PARTITIONS);
      assertEquals(rows.length, rounds * PER_ROUND);
      for (const [key, own] of Map.groupBy(rows, (row) => row.key!)) {
        const expected = Array.from({ length: rounds * PER_ROUND / KEYS }, (_, i) => i + 1);
        assertEquals(own.map((row) => Number(row.value)), expected, `the counts of ${key}`);
      }
    })
  ));
