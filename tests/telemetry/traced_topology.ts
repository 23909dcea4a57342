// A topology whose records pass a repartition topic, a cached store and a sink; "poison" fails.
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { string } from "../../lib/serde/primitives.ts";

const TEXT = { key: string(), value: string() };

export const topology = defineTopology((builder, config) => {
  const settings = config as Readonly<Record<string, unknown>>;
  builder.stream(topic(String(settings["app.from"]), TEXT))
    .peek((value) => {
      if (value === "poison") throw new RangeError("poisoned");
    })
    .groupBy((value) => value, { key: string(), name: "by-value" })
    .count({ store: "counts" })
    .toStream()
    .mapValues((count) => String(count))
    .to(topic(String(settings["app.to"]), TEXT));
});
