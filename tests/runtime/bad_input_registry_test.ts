// A schema registry that does not answer: at the start, in the middle, for readers and for writers. Nothing is skipped for it.
import { after, before, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { avro } from "../../lib/serde/avro.ts";
import { encodeAlone } from "../../lib/serde/list.ts";
import { string } from "../../lib/serde/primitives.ts";
import { newTopic, unique } from "../kafka/subject.ts";
import { RegistrySwitch } from "../support/registry_switch.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { eventually, log, reaches, readAllCommitted, readUntil } from "./application.ts";
import {
  committedOffsets,
  counter,
  embeddedSubject,
  realApplication,
  writeRaw,
} from "./bad_input.ts";

const TEXT = { key: string(), value: string() };
interface Order {
  readonly amount: number;
}
const OLD = { type: "record", name: "Order", fields: [{ name: "amount", type: "int" }] } as const;
const NEW = {
  type: "record",
  name: "Order",
  fields: [{ name: "amount", type: "int" }, { name: "note", type: "string", default: "" }],
} as const;

let subject: ReturnType<typeof embeddedSubject>;
before(() => {
  subject = embeddedSubject();
});
after(() => subject.close());

const amounts = (from: string, to: string) =>
  defineTopology((builder) =>
    builder.stream(topic(from, { key: string(), value: avro<Order>(OLD) }))
      .mapValues(({ amount }) => String(amount)).to(topic(to, TEXT))
  );
const orders = (from: string, to: string) =>
  defineTopology((builder) =>
    builder.stream(topic(from, TEXT)).mapValues((value) => ({ amount: Number(value) }))
      .to(topic(to, { key: string(), value: avro<Order>(OLD) }))
  );

/** What another producer wrote with a schema that it registered. */
function written(registry: RegistrySwitch, from: string, schema: unknown, amount: number) {
  const serde = avro<Order & { note: string }>(schema as typeof NEW, {
    registry: registry.schemas,
  });
  return encodeAlone(serde, { amount, note: "" }, { topic: from, isKey: false });
}

/** Nothing was skipped, whatever the handlers say. */
const FORGIVING = {
  "deserialization.exception.handler": "log-and-continue",
  "processing.exception.handler": "log-and-continue",
  "production.exception.handler": "log-and-continue",
};

const ways = ["does not listen", "answers 503", "never answers"] as const;
type Way = (typeof ways)[number];
async function breakOff(registry: RegistrySwitch, way: Way): Promise<void> {
  if (way === "does not listen") await registry.down();
  else registry.mode = way === "answers 503" ? "fails" : "hangs";
}
async function mend(registry: RegistrySwitch, way: Way): Promise<void> {
  if (way === "does not listen") await registry.up();
  registry.mode = "answers";
}

const WARNING = "The schema registry does not answer; waiting for it";
const warnings = () => log.lines().filter((line) => line.includes(WARNING)).length;

for (const way of ways) {
  test(`A record waits for its schema while the registry ${way}, and those behind it wait, too`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const registry = await RegistrySwitch.make();
        await registry.up();
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        const id = unique("registry");
        const streams = realApplication(subject, amounts(from, to), dir, {
          "application.id": id,
          "schema.registry.url": registry.url,
          "schema.registry.request.timeout.ms": 300,
          ...FORGIVING,
        });
        // Its schema is there before the start, and is prepared.
        await writeRaw(subject, from, [{ key: "a", value: written(registry, from, OLD, 1) }]);
        await streams.start();
        await readUntil(subject, to, 1, (rows) => rows.length >= 1);
        await breakOff(registry, way);
        await writeRaw(subject, from, [
          { key: "b", value: written(registry, from, NEW, 2) },
          { key: "c", value: written(registry, from, OLD, 3) },
        ]);
        await eventually("it waits", () => streams.threads()[0].tasks[0].buffered === 2);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        assertEquals(streams.threads()[0].tasks[0].buffered, 2);
        assertEquals(streams.state, "RUNNING");
        assertEquals((await committedOffsets(subject, id))[`${from}-0`], 1);
        await mend(registry, way);
        await readUntil(subject, to, 1, (rows) => rows.length >= 3);
        assert(await streams.close());
        assertEquals((await readAllCommitted(subject, to, 1)).map((r) => r.value), ["1", "2", "3"]);
        assertEquals(counter(streams, "kafka_stream_task_dropped_records_total"), 0);
        await registry.down();
      })
    ));

  test(`An application waits at its start for a registry that ${way}`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const before = warnings();
        const registry = await RegistrySwitch.make();
        await registry.up();
        await breakOff(registry, way);
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        const streams = realApplication(subject, orders(from, to), dir, {
          "application.id": unique("registry"),
          "schema.registry.url": registry.url,
          "schema.registry.request.timeout.ms": 300,
          ...FORGIVING,
        });
        await writeRaw(subject, from, [{ key: "a", value: "1" }]);
        await streams.start();
        await eventually("it is said", () => warnings() > before);
        assertEquals([streams.state, streams.threads()[0].state], ["REBALANCING", "STARTING"]);
        await mend(registry, way);
        await readUntil(subject, to, 1, (rows) => rows.length >= 1);
        assert(await streams.close());
        assertEquals(registry.schemas.versions(`${to}-value`), [1]);
        await registry.down();
      })
    ));
}

test("An application that waits for its registry stops when it is told to, and at once", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const registry = await RegistrySwitch.make();
      const from = await newTopic(subject, "from", 1);
      const streams = realApplication(subject, orders(from, "out"), dir, {
        "application.id": unique("registry"),
        "schema.registry.url": registry.url,
        "shutdown.timeout.ms": 10_000,
      });
      await streams.start();
      await eventually("it waits", () => streams.threads()[0].state === "STARTING");
      assert(await streams.close());
      assertEquals([streams.state, streams.failure], ["NOT_RUNNING", undefined]);
    })
  ));

test("A global table waits for the registry, and a stop meanwhile gives the state directory back", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const before = warnings();
      const registry = await RegistrySwitch.make();
      const rows = await newTopic(subject, "rows", 1);
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const topology = defineTopology((builder) => {
        const table = builder.globalTable(
          topic(rows, { key: string(), value: avro<Order>(OLD) }),
          { store: "rows" },
        );
        builder.stream(topic(from, TEXT))
          .join(table, (_, key) => key, (value: string, row: Order) => `${value} ${row.amount}`)
          .to(topic(to, TEXT));
      });
      const all = {
        "application.id": unique("registry"),
        "schema.registry.url": registry.url,
      };
      const waiting = realApplication(subject, topology, dir, all);
      const started = waiting.start().then(() => undefined, (error: Error) => error.message);
      await eventually("it is said", () => warnings() > before);
      assert(await waiting.close());
      assertEquals(await started, "Stopped while waiting for the schema registry");
      assertEquals([waiting.state, waiting.failure], ["NOT_RUNNING", undefined]);

      const streams = realApplication(subject, topology, dir, all);
      const starting = streams.start();
      await writeRaw(subject, rows, [{ key: "a", value: written(registry, rows, OLD, 7) }]);
      await writeRaw(subject, from, [{ key: "a", value: "x" }]);
      await registry.up();
      await starting;
      const seen = await readUntil(subject, to, 1, (r) => r.length >= 1);
      assertEquals(seen[0].value, "x 7");
      assert(await streams.close());
      await registry.down();
    })
  ));

test("An application ends with what the registry says when it refuses this client, and shows no credentials", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const registry = await RegistrySwitch.make();
      await registry.up();
      registry.mode = "forbids";
      const from = await newTopic(subject, "from", 1);
      const streams = realApplication(subject, orders(from, "out"), dir, {
        "application.id": unique("registry"),
        "schema.registry.url": registry.url,
        "schema.registry.basic.auth.user.info": "weir:hunter2-secret",
      });
      await streams.start();
      await reaches(streams, "ERROR");
      assertEquals(
        [streams.failure?.name, streams.failure?.message.includes("Unauthorized")],
        ["SchemaRegistryError", true],
      );
      await streams.close();
      const told = `${log}${streams.failure?.stack}${JSON.stringify(streams.metrics())}`;
      assert(!told.includes("hunter2"), "the password is shown");
      await registry.down();
    })
  ));

for (const guarantee of ["exactly_once_v2", "at_least_once"]) {
  test(`A record whose topic is chosen by itself waits for the registry, and is written once it answers (${guarantee})`, () =>
    log.printOnFailure(() =>
      withTempDir(async (dir) => {
        const registry = await RegistrySwitch.make();
        await registry.up();
        const from = await newTopic(subject, "from", 1);
        const to = await newTopic(subject, "to", 1);
        const id = unique("registry");
        const topology = defineTopology((builder) =>
          builder.stream(topic(from, TEXT)).groupByKey()
            .count({ store: "counts", caching: false }).toStream()
            .mapValues((count) => ({ amount: Number(count) }))
            .to(() => to, { key: string(), value: avro<Order>(OLD) })
        );
        const streams = realApplication(subject, topology, dir, {
          "application.id": id,
          "processing.guarantee": guarantee,
          "schema.registry.url": registry.url,
          "schema.registry.request.timeout.ms": 100,
          ...FORGIVING,
        });
        await streams.start();
        await reaches(streams, "RUNNING");
        registry.mode = "fails";
        await writeRaw(subject, from, [{ key: "a", value: "x" }, { key: "a", value: "y" }]);
        await eventually("it is tried again", () =>
          counter(streams, "kafka_streams_transaction_aborts_total") >= 2 || registry.asked > 10);
        assertEquals((await committedOffsets(subject, id))[`${from}-0`] ?? 0, 0);
        registry.mode = "answers";
        await readUntil(subject, to, 1, (rows) =>
          rows.length >= 2);
        assertEquals(counter(streams, "kafka_stream_task_dropped_records_total"), 0);
        assertEquals(streams.failedThreads, 0);
        assert(await streams.close());
        const rows = await readAllCommitted(subject, to, 1);
        const seen = rows.map((r) =>
          r.value!.charCodeAt(5) / 2
        );
        // The counts are rolled back with the record: nothing is counted twice.
        assertEquals(guarantee === "exactly_once_v2" ? seen : [...new Set(seen)], [1, 2]);
        await registry.down();
      })
    ));
}

test("A schema that the registry does not take stops the application before the first record", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const registry = await RegistrySwitch.make();
      await registry.up();
      const from = await newTopic(subject, "from", 1);
      const id = unique("registry");
      const topology = defineTopology((builder) =>
        builder.stream(topic(from, TEXT)).mapValues((value) => ({ amount: Number(value) }))
          .to(topic("out", {
            key: string(),
            value: avro<Order>(OLD, { autoRegisterSchemas: false }),
          }))
      );
      const streams = realApplication(subject, topology, dir, {
        "application.id": id,
        "schema.registry.url": registry.url,
      });
      await writeRaw(subject, from, [{ key: "a", value: "1" }]);
      await streams.start();
      await reaches(streams, "ERROR");
      assertEquals(streams.failure?.name, "SchemaRegistryError");
      await streams.close();
      assertEquals(await committedOffsets(subject, id), {});
      await registry.down();
    })
  ));
