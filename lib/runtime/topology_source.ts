import { TopologyException } from "../errors.ts";
import { Topology } from "../topology/topology.ts";

/** A topology that is built for a configuration: what `defineTopology` gives. */
export interface BuildableTopology {
  build(config: Readonly<Record<string, unknown>>): Topology;
}

/** A module that exports a topology, by its address. The only form that can cross to Workers. */
export interface TopologyModuleAddress {
  readonly url: string;
  /** The name of the export. Default: `topology`. */
  readonly exportName?: string;
}

/** What an application can be started from. */
export type TopologySource = Topology | BuildableTopology | TopologyModuleAddress;

/** Whether the source is a module's address. */
export function isModuleAddress(source: TopologySource): source is TopologyModuleAddress {
  return "url" in source;
}

/**
 * The topology of a source, built for a configuration.
 * @throws {TopologyException} when the module exports none
 */
export async function buildTopology(
  source: TopologySource,
  config: Readonly<Record<string, unknown>>,
): Promise<Topology> {
  const found = isModuleAddress(source) ? await importTopology(source) : source;
  return found instanceof Topology ? found : found.build(config);
}

async function importTopology(
  { url, exportName = "topology" }: TopologyModuleAddress,
): Promise<Topology | BuildableTopology> {
  const module = await import(url) as Record<string, unknown>;
  const exported = module[exportName];
  if (exported instanceof Topology) return exported;
  if (typeof (exported as BuildableTopology | undefined)?.build === "function") {
    return exported as BuildableTopology;
  }
  throw new TopologyException(
    `Cannot use the module ${url} as it must export \`${exportName}\`, made by defineTopology(): current value is ${
      exported === undefined ? "no such export" : typeof exported
    }`,
  );
}
