// A topology that Workers import: a count in a store. A record "die" ends its Worker once, "throw" fails its thread.
import { defineTopology } from "../../lib/dsl/define_topology.ts";
import { topic } from "../../lib/dsl/topic.ts";
import { string } from "../../lib/serde/primitives.ts";
import { existsSync, writeFileSync } from "node:fs";
import process from "node:process";

const TEXT = { key: string(), value: string() };

export const topology = defineTopology((builder, config) => {
  const settings = config as Readonly<Record<string, unknown>>;
  builder.stream(topic(String(settings["app.from"]), TEXT))
    .peek((value) => {
      if (value === "throw") throw new RangeError("asked to throw");
      const marker = String(settings["app.marker"]);
      if (value === "die" && !existsSync(marker)) {
        writeFileSync(marker, "died");
        process.exit(3);
      }
    })
    .groupByKey()
    .count({ store: "counts", caching: false })
    .toStream()
    .mapValues((count) => String(count))
    .to(topic(String(settings["app.to"]), TEXT));
});
