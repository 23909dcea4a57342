// What runs while it is killed: a windowed aggregate that speaks once per window, a join, and a count behind a repartition topic.
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { tumbling, within } from "../../lib/dsl/windows.ts";
import { json } from "../../lib/serde/json.ts";
import { string } from "../../lib/serde/primitives.ts";

const TEXT = { key: string(), value: string() };
export const WINDOW_MS = 10_000;
export const GRACE_MS = 5_000;
export const JOIN_MS = 5_000;

/** What a window comes to. */
export interface Totals {
  readonly count: number;
  readonly sum: number;
}

/** Topic names begin with `app.prefix`. */
export const topology = defineTopology((builder, config) => {
  const prefix = String((config as Record<string, unknown>)["app.prefix"]);
  const sales = builder.stream(topic(`${prefix}-sales`, TEXT));
  sales.groupByKey()
    .windowedBy(tumbling({ size: WINDOW_MS, grace: GRACE_MS }))
    .aggregate(
      (): Totals => ({ count: 0, sum: 0 }),
      (totals: Totals, amount) => ({ count: totals.count + 1, sum: totals.sum + Number(amount) }),
      { store: "totals", key: string(), value: json<Totals>() },
    )
    .suppress({ until: "windowCloses" })
    .toStream()
    .map((totals, windowed) => [`${windowed.key}@${windowed.start}`, totals])
    .to(topic(`${prefix}-totals`, { key: string(), value: json<Totals>() }));
  sales.groupBy((amount) => String(Number(amount) % 7), { key: string(), value: string() })
    .count({ store: "amounts" })
    .toStream()
    .mapValues((count) => String(count))
    .to(topic(`${prefix}-amounts`, TEXT));
  const left = builder.stream(topic(`${prefix}-left`, TEXT));
  const right = builder.stream(topic(`${prefix}-right`, TEXT));
  left.join(
    right,
    (a: string, b: string) => `${a}+${b}`,
    within({ timeDifference: JOIN_MS, grace: GRACE_MS }),
    { key: string(), value: string(), otherValue: string() },
  ).to(topic(`${prefix}-pairs`, TEXT));
});
