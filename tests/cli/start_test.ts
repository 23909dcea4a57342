import { test } from "node:test";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type GeneratedOrder, generateOrders } from "../../examples/orders/generator.ts";
import { startOptions } from "../../lib/cli/start_options.ts";
import { ConfigException } from "../../lib/errors.ts";
import { murmur2Partition } from "../../lib/kafka/murmur2.ts";
import { expectedAggregate } from "../examples/expected_orders.ts";
import { spawnSame } from "../support/spawn.ts";

test("startOptions takes a literal -- for nothing", () => {
  const wanted = { records: 5, seed: 2, threads: 1, rate: 1000, adminPort: 0 };
  assertEquals(startOptions(["--", "--records", "5", "--seed=2"]), wanted);
  assertEquals(startOptions([]).records, undefined);
});

for (const args of [["--records", "many"], ["--records", "0"], ["--fast"], ["--rate", "-1"]]) {
  test(`startOptions refuses ${args.join(" ")}`, () => {
    assertThrows(() => startOptions(args), ConfigException);
  });
}

test("start --records N ends with the windows that an independent calculation gives", async () => {
  const [records, seed] = [60_000, 7];
  const program = spawnSame("lib/cli/start.ts", [
    "--",
    "--records",
    String(records),
    "--seed",
    String(seed),
  ]);
  const exit = await program.exited;
  assertEquals(exit.code, 0, program.stderr);
  const lines = program.stdout.trimEnd().split("\n");
  assertEquals(lines.length, 1);
  const summary = JSON.parse(lines[0]);

  const byPartition: GeneratedOrder[][] = Array.from({ length: summary.partitions }, () => []);
  for (const order of generateOrders(records, { seed })) {
    byPartition[murmur2Partition(new TextEncoder().encode(order.key), byPartition.length)].push(
      order,
    );
  }
  const expected = byPartition.map(expectedAggregate);
  const sum = (pick: (part: (typeof expected)[number]) => number) =>
    expected.reduce((total, part) => total + pick(part), 0);
  assertEquals(summary.records_in, records);
  assertEquals(summary.windows_out, sum((part) => part.windows.length));
  assertEquals(
    summary.orders_in_windows,
    sum((part) => part.windows.reduce((total, { stats }) => total + stats.count, 0)),
  );
  assertEquals(summary.dropped_late, sum((part) => part.late));
  assertEquals(summary.dead_letters, sum((part) => part.corrupt));
  assert(summary.windows_out > 0 && summary.dropped_late > 0 && summary.dead_letters > 0);
});

test("start prints windows as they close, serves its health, and ends on SIGTERM", async () => {
  const program = spawnSame("lib/cli/start.ts", ["--rate", "20000"]);
  try {
    const url = (await program.waitForLine(/The admin server listens on (\S+)/))[1];
    assertEquals((await fetch(`${url}/healthz`)).status, 200);
    await program.waitForLine(/customer-\d+ +\d+ orders/);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assertMatch(metrics, /^kafka_stream_client_state\{.*\} 2$/m);
    assertMatch(metrics, /^kafka_streams_commit_total\{application_id="orders-demo"\} [1-9]/m);
    assertEquals(await program.stop(), { code: 0, signal: null });
  } finally {
    await program.kill();
  }
});
