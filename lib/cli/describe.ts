import { parseConfig } from "../config.ts";
import { TopologyException } from "../errors.ts";
import { buildTopology } from "../runtime/topology_source.ts";
import { describeTopology, type TopologyDescription } from "../topology/describe.ts";
import type { Topology } from "../topology/topology.ts";
import { topologyAsJson, topologyAsMermaid } from "../admin/topology_formats.ts";
import type { TopologyFile } from "./topology_files.ts";

/** The forms in which a topology is printed. */
export const TOPOLOGY_FORMATS = ["text", "json", "mermaid"] as const;
/** One of them. */
export type TopologyFormat = (typeof TOPOLOGY_FORMATS)[number];

/** A topology file's description under a configuration. */
export async function describeFile(
  file: TopologyFile,
  values: Readonly<Record<string, unknown>> = parseConfig({}, { bootstrap: "optional" }).values,
): Promise<TopologyDescription> {
  return describeTopology(await buildChecked(file, values));
}

/** A topology file's topology. @throws {TopologyException} for whatever the user's definition throws */
export async function buildChecked(
  file: TopologyFile,
  values: Readonly<Record<string, unknown>>,
): Promise<Topology> {
  try {
    return await buildTopology({ url: file.url }, values);
  } catch (error) {
    if (error instanceof TopologyException) throw error;
    throw new TopologyException(`${file.path}: ${(error as Error).message}`, { cause: error });
  }
}

/** A description as text; that of Kafka Streams by default. */
export function formatTopology(description: TopologyDescription, format: TopologyFormat): string {
  switch (format) {
    case "text":
      return description.toString();
    case "json":
      return `${JSON.stringify(topologyAsJson(description), null, 2)}\n`;
    case "mermaid":
      return topologyAsMermaid(description);
  }
}
