/**
 * The order pipeline's records and their Avro schemas.
 *
 * @module
 */

/** An order as a shop sends it. `placedAt` is epoch ms. */
export interface Order {
  readonly orderId: string;
  readonly customerId: string;
  readonly amount: number;
  readonly currency: string;
  readonly placedAt: number;
}

/** A payment of an order. `paidAt` is epoch ms. */
export interface Payment {
  readonly orderId: string;
  readonly status: string;
  readonly paidAt: number;
}

/** What a customer ordered in one minute. */
export interface OrderStats {
  readonly count: number;
  readonly total: number;
  readonly max: number;
  readonly lastOrderId: string;
}

/** An order with its payment. */
export interface EnrichedOrder extends Order {
  readonly status: string;
  readonly paidAt: number;
}

const TIME = { type: "long", logicalType: "timestamp-millis" } as const;

/** Avro schema of {@link Order}. */
export const ORDER_SCHEMA = {
  type: "record",
  name: "Order",
  namespace: "weir.examples.orders",
  fields: [
    { name: "orderId", type: "string" },
    { name: "customerId", type: "string" },
    { name: "amount", type: "double" },
    { name: "currency", type: "string", default: "EUR" },
    { name: "placedAt", type: TIME },
  ],
} as const;

/** Avro schema of {@link Payment}. */
export const PAYMENT_SCHEMA = {
  type: "record",
  name: "Payment",
  namespace: "weir.examples.orders",
  fields: [
    { name: "orderId", type: "string" },
    { name: "status", type: "string" },
    { name: "paidAt", type: TIME },
  ],
} as const;

/** Avro schema of {@link OrderStats}. */
export const ORDER_STATS_SCHEMA = {
  type: "record",
  name: "OrderStats",
  namespace: "weir.examples.orders",
  fields: [
    { name: "count", type: "int" },
    { name: "total", type: "double" },
    { name: "max", type: "double" },
    { name: "lastOrderId", type: "string" },
  ],
} as const;

/** Avro schema of {@link EnrichedOrder}. */
export const ENRICHED_ORDER_SCHEMA = {
  type: "record",
  name: "EnrichedOrder",
  namespace: "weir.examples.orders",
  fields: [
    ...ORDER_SCHEMA.fields,
    { name: "status", type: "string" },
    { name: "paidAt", type: TIME },
  ],
} as const;
