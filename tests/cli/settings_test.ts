import { test } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseProperties } from "../../lib/cli/config_file.ts";
import { explainSettings } from "../../lib/cli/explain.ts";
import { readSettings } from "../../lib/cli/settings.ts";
import { ConfigException } from "../../lib/errors.ts";
import { makeTempDir } from "../support/temp_dir.ts";

const directory = makeTempDir("settings");
function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const FORMS: [name: string, text: string][] = [
  [
    "weir.yaml",
    "application.id: a\nbootstrap.servers: [b:1, c:2]\nadmin:\n  port: 0\nlog: { level: debug }\n",
  ],
  [
    "weir.json",
    '{"application.id":"a","bootstrap.servers":["b:1","c:2"],"admin":{"port":0},"log":{"level":"debug"}}',
  ],
  [
    "weir.properties",
    "# a comment\napplication.id=a\nbootstrap.servers: b:1,\\\n    c:2\nadmin.port 0\nlog.level = debug\n",
  ],
];
for (const [name, text] of FORMS) {
  test(`readSettings reads ${name}`, () => {
    const config = readSettings({ config: file(name, text) }, {}, {});
    assertEquals(config.applicationId, "a");
    assertEquals(config.bootstrapServers, ["b:1", "c:2"]);
    assertEquals(config.adminPort, 0);
    assertEquals(config.logLevel, "debug");
  });
}

test("readSettings lets --set win over the environment, that over the file", () => {
  const config = readSettings(
    {
      config: file("order.yaml", "poll.ms: 1\nmax.task.idle.ms: 1\ntask.timeout.ms: 1\n"),
      set: ["poll.ms=3", "application.id=a", "bootstrap.servers=b:1", "app.greeting=a=b"],
    },
    { decided: { "application.id": "decided" } },
    { STREAMS_POLL_MS: "2", STREAMS_MAX_TASK_IDLE_MS: "2" },
  );
  assertEquals([config.pollMs, config.maxTaskIdleMs, config.taskTimeoutMs], [3, 2, 1]);
  assertEquals(config.values["app.greeting"], "a=b");
  assertEquals(config.applicationId, "decided");
});

test("readSettings reads the file that STREAMS_CONFIG_FILE names", () => {
  const env = { STREAMS_CONFIG_FILE: file("env.yaml", "application.id: from-env\n") };
  assertEquals(readSettings({}, { bootstrap: "optional" }, env).applicationId, "from-env");
});

for (
  const [what, path] of [
    ["that is missing", join(directory, "nowhere.yaml")],
    ["that is no YAML", file("broken.yaml", "a: [")],
    ["that holds a list", file("list.yaml", "- a\n")],
    ["that is no JSON", file("broken.json", "{")],
  ]
) {
  test(`readSettings refuses a file ${what}`, () => {
    const { issues } = assertThrows(() => readSettings({ config: path }, {}, {}), ConfigException);
    assertEquals(issues[0].key, "--config");
    assertEquals(issues[0].given, path);
  });
}

test("readSettings refuses --set without a value", () => {
  const { issues } = assertThrows(
    () => readSettings({ set: ["poll.ms"] }, {}, {}),
    ConfigException,
  );
  assertEquals(issues[0].rule, "must be key=value");
});

test("parseProperties reads Java's escapes", () => {
  assertEquals(parseProperties("a\\:b=c\\u0041\\n\n!no\nk="), { "a:b": "cA\n", k: "" });
});

test("explainSettings shows values and origins, and hides secrets", () => {
  const config = readSettings(
    { set: ["admin.token=hunter2hunter2"] },
    { bootstrap: "optional" },
    { STREAMS_POLL_MS: "5" },
  );
  const text = explainSettings(config, { format: "text", all: false });
  assertStringIncludes(text, "poll.ms");
  assertStringIncludes(text, "env STREAMS_POLL_MS");
  assertEquals(text.includes("hunter2"), false);
  const all = JSON.parse(explainSettings(config, { format: "json", all: true }));
  assertEquals(all.find((s: { key: string }) => s.key === "state.sync").origin, "default");
});
