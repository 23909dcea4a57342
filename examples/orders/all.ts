/**
 * All of the order pipeline in one topology: the aggregate, the join and the counts.
 *
 * @module
 */
import { defineTopology } from "weir";
import { aggregateOrders } from "./aggregate.ts";
import { countOrders } from "./counts.ts";
import { enrichOrders } from "./enrich.ts";

/** The topology that `weir run` runs. */
export const topology = defineTopology((builder) => {
  aggregateOrders(builder);
  enrichOrders(builder);
  countOrders(builder);
});
