import { test } from "node:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ManualClock } from "../../lib/record/time.ts";
import { DailyFile } from "../../lib/telemetry/log_file.ts";
import { type LogOptions, openLog } from "../../lib/telemetry/logger.ts";
import { makeTempDir } from "../support/temp_dir.ts";

function captured(options: LogOptions = {}) {
  const lines: string[] = [];
  const log = openLog({ format: "json", ...options, write: (line) => void lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines[lines.length - 1]) as Record<string, any> };
}

test("Logger writes JSON lines with time, level, message and facts", () => {
  const { log, last } = captured({ facts: { application_id: "orders" } });
  log.root.child({ thread_id: "t-1" }).info("Started", { tasks: 3 });
  const { time, ...rest } = last();
  assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertEquals(rest, {
    level: "info",
    application_id: "orders",
    thread_id: "t-1",
    tasks: 3,
    msg: "Started",
  });
});

test("Logger writes an error with its type, message and stack", () => {
  const { log, last } = captured();
  log.root.error("Failed", { err: new RangeError("too far") });
  assertEquals(last().err.type, "RangeError");
  assertEquals(last().err.message, "too far");
  assertStringIncludes(last().err.stack, "logger_test.ts");
});

test("Log changes levels while running, for all or for loggers of a name", () => {
  const { log, lines } = captured();
  const kafka = log.root.child({}, "kafka");
  kafka.debug("no");
  log.setLevel("debug", "kafka");
  kafka.debug("yes");
  log.root.debug("no");
  log.setLevel("silent");
  log.root.error("no");
  kafka.child({ a: 1 }).debug("yes");
  assertEquals(lines.map((line) => JSON.parse(line).msg), ["yes", "yes"]);
  assertEquals(log.levels(), { root: "silent", kafka: "debug" });
  assert(kafka.isEnabled("debug"));
});

test("Logger hides fields that are named like secrets, and known secrets wherever they stand", () => {
  const { log, lines } = captured({ secrets: ["hunter2", 'qu"ote'] });
  log.root.info("password is hunter2", {
    "sasl.password": "abc",
    nested: { token: "abc", list: ["hunter2"] },
    err: new Error('qu"ote and hunter2'),
  });
  assert(!/abc|hunter2|qu\\+"ote/.test(lines[0]), lines[0]);
  assertStringIncludes(lines[0], '"sasl.password":"[hidden]"');
});

test("Logger writes lines for people without colors when they are not asked for", () => {
  const { log, lines } = captured({ format: "pretty" });
  log.root.child({ thread_id: "t-1", task_id: "0_1" }).warn("Late", { topic: "in", count: 2 });
  assertMatch(lines[0], /^\d\d:\d\d:\d\d\.\d{3} WARN {2}t-1 \[0_1\] Late topic=in count=2\n$/);
});

test("DailyFile begins a file each day and keeps the last ones", () => {
  const directory = makeTempDir("log");
  writeFileSync(join(directory, "app.notes.log"), "not ours");
  const clock = new ManualClock(Date.UTC(2026, 0, 30, 23, 59));
  const file = new DailyFile({ path: join(directory, "app.log"), keepDays: 2, clock });
  for (let day = 0; day < 4; day++) {
    file.write(`day ${day}\n`);
    file.write(`again ${day}\n`);
    clock.advance(86_400_000);
  }
  file.close();
  assertEquals(readdirSync(directory).sort(), [
    "app.2026-02-01.log",
    "app.2026-02-02.log",
    "app.notes.log",
  ]);
  assertEquals(readFileSync(join(directory, "app.2026-02-02.log"), "utf8"), "day 3\nagain 3\n");
});

test("Log writes to the console and to the daily file", () => {
  const directory = makeTempDir("log");
  const { log, lines } = captured({ file: join(directory, "deep", "weir.log") });
  log.root.info("both");
  log.close();
  const [name] = readdirSync(join(directory, "deep"));
  assertMatch(name, /^weir\.\d{4}-\d\d-\d\d\.log$/);
  assertEquals(readFileSync(join(directory, "deep", name), "utf8"), lines[0]);
});
