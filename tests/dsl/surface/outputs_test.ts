import { test } from "node:test";
import { assertEquals } from "@std/assert";
import {
  defineTopology,
  inMemoryStores,
  keyValueStoreBuilder,
  long,
  otherwise,
  persistentKeyValueStore,
  type StreamsBuilder,
  string,
  topic,
  TopologyTestDriver,
  tumbling,
} from "../../../mod.ts";

const lines = topic("lines", { key: string(), value: string() });
const out = topic("out", { key: string(), value: string() });
const counts = topic("counts", { key: string(), value: long() });

type Row = readonly [string | null, string | null, number?];

/** Runs a definition on rows of `lines`; gives what came out of the topics, as `key=value@time`. */
function run(
  define: (builder: StreamsBuilder) => void,
  rows: readonly Row[],
  outputs: readonly { topic: string; key: any; value: any }[] = [out],
): string[][] {
  using driver = new TopologyTestDriver(defineTopology(define), {
    "default.dsl.store": "in_memory",
  });
  const input = driver.createInputTopic("lines", lines);
  rows.forEach(([key, value, timestamp = 0]) => input.pipe(key, value, { timestamp }));
  return outputs.map((o) =>
    driver.createOutputTopic<any, any>(o.topic, o).readRecords()
      .map(({ key, value, timestamp }) => `${key}=${value}@${timestamp}`)
  );
}

test("split with names gives each record to the first branch whose test accepts it", () => {
  const [large, rest] = run(
    (builder) => {
      const branches = builder.stream(lines).split({
        large: (line) => line.length > 3,
        rest: otherwise,
      });
      branches.large.to("large");
      branches.rest.to("rest");
    },
    [["a", "long line"], ["b", "x"]],
    [{ ...out, topic: "large" }, { ...out, topic: "rest" }],
  );
  assertEquals([large, rest], [["a=long line@0"], ["b=x@0"]]);
});

test("split without a rest drops what no branch takes", () => {
  const [some] = run((builder) => {
    builder.stream(lines).split({ out: (line) => line === "x" }).out.to(out);
  }, [["a", "y"], ["b", "x"]]);
  assertEquals(some, ["b=x@0"]);
});

test("split goes on with a branch by then, and gives what that gives", () => {
  run((builder) => {
    const split = builder.stream(lines).split({ name: "split-" });
    const branches = split
      .branch((line) => line === "x", { name: "x", then: (s) => s.mapValues((l) => l + l) })
      .branch(() => true, { name: "rest", then: (s) => s.to("rest") })
      .noDefaultBranch();
    assertEquals(Object.keys(branches), ["split-x"]);
  }, []);
});

test("to gives a record to the topic, and the partitions, that functions choose", () => {
  const partitions: unknown[] = [];
  const [a, b] = run(
    (builder) => {
      builder.stream(lines).to((line, key) => `${key}-${line}`, {
        partitioner: (line, key, name, count) => {
          partitions.push([line, key, name, count]);
          return line === "none" ? [] : 0;
        },
      });
    },
    [["a", "x"], ["b", "x"], ["b", "none"]],
    [{ ...out, topic: "a-x" }, { ...out, topic: "b-none" }],
  );
  assertEquals([a, b], [["a=x@0"], []]);
  assertEquals(partitions[0], ["x", "a", "a-x", 1]);
});

test("print writes the label, the key and the value of each record", () => {
  const printed: string[] = [];
  run((builder) => {
    const stream = builder.stream(lines);
    stream.print({ write: (line) => printed.push(line) });
    stream.print({
      label: "l",
      mapper: (v, k) => `${v}/${k}`,
      write: (line) => printed.push(line),
    });
  }, [["a", "x"]]);
  assertEquals(printed, ["[KSTREAM-SOURCE-0000000000]: a, x\n", "[l]: x/a\n"]);
});

test("foreach and peek see each record", () => {
  const seen: string[] = [];
  const [rows] = run((builder) => {
    const stream = builder.stream(lines);
    stream.peek((line, key) => void seen.push(`peek ${key} ${line}`)).to(out);
    stream.foreach((line, key) => void seen.push(`foreach ${key} ${line}`));
  }, [["a", "x"]]);
  assertEquals(seen, ["peek a x", "foreach a x"]);
  assertEquals(rows, ["a=x@0"]);
});

test("process with an object has its stores by name and forwards new types", () => {
  const seen = keyValueStoreBuilder(persistentKeyValueStore("seen"), {
    key: string(),
    value: long(),
  });
  const closed: string[] = [];
  const [rows] = run(
    (builder) => {
      builder.stream(lines).process({
        stores: { seen },
        key: string(),
        value: long(),
        init: (ctx) => void closed.push(`init ${ctx.processorName}`),
        process(record, ctx) {
          const count = (ctx.stores.seen.get(record.key) ?? 0) + 1;
          ctx.stores.seen.put(record.key, count);
          ctx.forward(record.withValue(count));
        },
        close: () => void closed.push("close"),
      }, { name: "counter" }).to(counts);
    },
    [["a", "x"], ["a", "y"]],
    [counts],
  );
  assertEquals(rows, ["a=1@0", "a=2@0"]);
  assertEquals(closed, ["init counter", "close"]);
});

test("processValues keeps the key, and no repartition topic is needed behind it", () => {
  let description = "";
  const [rows] = run(
    (builder) => {
      builder.stream(lines).processValues({
        value: long(),
        process: (record, ctx) => ctx.forward(record.withValue(record.value.length)),
      }).groupByKey().reduce((a, b) => a + b, { value: long() }).toStream().to(counts);
      description = builder.build().describe().toString();
    },
    [["a", "xx"], ["a", "yyy"]],
    [counts],
  );
  assertEquals(rows, ["a=2@0", "a=5@0"]);
  assertEquals(description.includes("repartition"), false);
});

test("process refuses a processor that gives a promise", () => {
  let message = "";
  try {
    run((builder) => {
      builder.stream(lines).process({ process: (async () => {}) as () => void });
    }, [["a", "x"]]);
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(message.includes("processors are synchronous"), true, message);
});

test("deduplicate lets the first of an id through, and again when the window has passed", () => {
  const [rows] = run((builder) => {
    builder.stream(lines).deduplicate(10, (line) => line, { id: string() }).to(out);
  }, [["a", "x", 0], ["b", "x", 10], ["a", "y", 10], ["c", "x", 11], ["c", "x", 5], [
    "a",
    null,
    12,
  ]]);
  assertEquals(rows, ["a=x@0", "a=y@10", "c=x@11", "a=null@12"]);
});

test("rateLimit holds the sources when the burst is used up", () => {
  const topology = defineTopology((builder) =>
    builder.stream(lines).rateLimit({ recordsPerSecond: 10, burst: 2 }).to(out)
  );
  using driver = new TopologyTestDriver(topology);
  const input = driver.createInputTopic("lines", lines);
  const output = driver.createOutputTopic("out", out);
  const pipe = () => {
    try {
      input.pipe("a", "x");
      return "taken";
    } catch {
      return "held";
    }
  };
  assertEquals([pipe(), pipe(), pipe()], ["taken", "taken", "held"]);
  driver.advanceWallClockTime(100);
  assertEquals(output.readRecords().length, 3);
});

test("final gives each window once, and toStream a new key", () => {
  const [rows] = run(
    (builder) => {
      builder.stream(lines).groupByKey().windowedBy(tumbling({ size: 10, grace: 5 })).count()
        .final().toStream((count, { key, start }) => `${key}/${start}/${count}`)
        .mapValues(String).to(out);
    },
    [["a", "x", 0], ["a", "y", 9], ["a", "z", 20]],
    [{ ...out, value: string() }],
  );
  assertEquals(rows, ["a/0/2=2@9"]);
});

test("a global store is filled by its processor and read by others", () => {
  const names = topic("names", { key: string(), value: string() });
  const store = keyValueStoreBuilder(persistentKeyValueStore("names"), names);
  const topology = defineTopology((builder) => {
    builder.addGlobalStore(store, names, () => {
      let into: any;
      return {
        init: (ctx) => void (into = ctx.getStateStore("names")),
        process: (record) => into.put(record.key, record.value.toUpperCase()),
      };
    });
    builder.stream(lines).process(() => {
      let context: any;
      return {
        init: (ctx) => void (context = ctx),
        process: (record) =>
          context.forward(record.withValue(context.getStateStore("names").get(record.value))),
      };
    }).to(out);
  });
  using driver = new TopologyTestDriver(topology);
  driver.createInputTopic("names", names).pipe("n", "nora");
  driver.createInputTopic("lines", lines).pipe("a", "n");
  assertEquals(driver.createOutputTopic("out", out).readRecords().map((r) => r.value), ["NORA"]);
});

test("a stream of several topics and one of a pattern read all of them", () => {
  const topology = defineTopology((builder) => {
    builder.stream([lines, { ...lines, topic: "more" }]).to(out);
    builder.stream(/logs-.*/, lines).to("logs");
  });
  using driver = new TopologyTestDriver(topology, {}, { patternTopics: ["logs-1", "other"] });
  for (const name of ["lines", "more", "logs-1"]) {
    driver.createInputTopic(name, lines).pipe("a", name);
  }
  assertEquals(driver.createOutputTopic("out", out).readRecords().map((r) => r.value), [
    "lines",
    "more",
  ]);
  assertEquals(driver.createOutputTopic("logs", out).readRecords().map((r) => r.value), ["logs-1"]);
});

test("stores in memory are chosen by the builder's setting or by the step", () => {
  const kinds = (setting: string) => {
    const topology = defineTopology((builder) => {
      builder.stream(lines).groupByKey().count({ store: "a" });
      builder.stream(lines).groupByKey().count({ store: "b", stores: inMemoryStores });
    }).build({ "default.dsl.store": setting });
    return [...topology.stores.values()].map(({ builder }) => builder.build().persistent);
  };
  assertEquals(kinds("lmdb"), [true, false]);
  assertEquals(kinds("in_memory"), [false, false]);
});
