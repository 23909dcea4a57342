/**
 * The order pipeline's topics. Their serdes take the schema registry from the configuration (`schema.registry.url`).
 *
 * @module
 */
import { avro, long, string, topic } from "weir";
import {
  ENRICHED_ORDER_SCHEMA,
  type EnrichedOrder,
  type Order,
  ORDER_SCHEMA,
  ORDER_STATS_SCHEMA,
  type OrderStats,
  type Payment,
  PAYMENT_SCHEMA,
} from "./schemas.ts";

/** Serde of {@link Order}. */
export const orderSerde = avro<Order>(ORDER_SCHEMA, { long: "number" });
/** Serde of {@link Payment}. */
export const paymentSerde = avro<Payment>(PAYMENT_SCHEMA, { long: "number" });
/** Serde of {@link OrderStats}. */
export const orderStatsSerde = avro<OrderStats>(ORDER_STATS_SCHEMA);
/** Serde of {@link EnrichedOrder}. */
export const enrichedOrderSerde = avro<EnrichedOrder>(ENRICHED_ORDER_SCHEMA, {
  long: "number",
});

/** Orders, keyed by customer. */
export const orders = topic("orders-input", { key: string(), value: orderSerde });
/** Payments, keyed by order. */
export const payments = topic("payments-input", { key: string(), value: paymentSerde });
/** What each customer ordered in each minute, keyed by customer; one record per closed window. */
export const orderStats = topic("orders-agg-output", { key: string(), value: orderStatsSerde });
/** Orders with their payments, keyed by order. */
export const enrichedOrders = topic("orders-enriched", {
  key: string(),
  value: enrichedOrderSerde,
});
/** Orders seen per customer. */
export const orderCounts = topic("orders-counts", { key: string(), value: long() });
/** Records that could not be read or processed, as they came, with the cause in headers. */
export const DEAD_LETTERS = "dlq-orders";
