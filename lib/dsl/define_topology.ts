import type { Topology } from "../topology/topology.ts";
import { type BuilderConfig, StreamsBuilder } from "./streams_builder.ts";

/** A topology that is built anew for each configuration: for a test, for each thread, for the command line. */
export interface TopologyModule {
  /** What it is called in messages. */
  readonly name: string;
  /**
   * The topology for this configuration. Each call runs the definition on a builder of its own.
   *
   * @throws {TopologyException} when the definition is wrong
   */
  build(config?: BuilderConfig): Topology;
}

/**
 * Defines a topology: what a topology module exports as `topology`, and all tools load.
 *
 * ```ts
 * export const topology = defineTopology((builder) => {
 *   builder.stream(orders).filter((order) => order.amount > 100).to(largeOrders);
 * }, { name: "large-orders" });
 * ```
 */
export function defineTopology(
  define: (builder: StreamsBuilder, config: BuilderConfig) => void,
  options: { readonly name?: string } = {},
): TopologyModule {
  if (typeof define !== "function") {
    throw new TypeError(
      `Cannot define a topology as it needs a function of the builder: current value is ${define}`,
    );
  }
  return Object.freeze({
    name: options.name ?? "topology",
    build(config: BuilderConfig = {}): Topology {
      const builder = new StreamsBuilder(config);
      const result: unknown = define(builder, config);
      if (typeof (result as { then?: unknown } | undefined)?.then === "function") {
        throw new TypeError(
          "Cannot define a topology as the definition must be synchronous: current value is a Promise",
        );
      }
      return builder.build(config);
    },
  });
}
