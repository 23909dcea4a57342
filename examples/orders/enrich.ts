/**
 * Orders with their payments: both streams joined by order within thirty seconds. What cannot be read or processed goes to the dead letter topic, with
 * its cause in headers, when the configuration says so:
 *
 *     weir run examples/orders/enrich.ts \
 *       --set deserialization.exception.handler=dead-letter-queue \
 *       --set processing.exception.handler=dead-letter-queue \
 *       --set errors.dead.letter.queue.topic.name=dlq-orders
 *
 * @module
 */
import { defineTopology, seconds, type StreamsBuilder, string, within } from "weir";
import type { EnrichedOrder } from "./schemas.ts";
import { enrichedOrders, orders, orderSerde, payments, paymentSerde } from "./topics.ts";

/** Adds the join to a topology. */
export function enrichOrders(builder: StreamsBuilder): void {
  const byOrder = builder.stream(orders)
    .peek((order) => {
      // A business rule that data can break: such an order is the dead letter topic's business.
      if (!(order.amount >= 0)) {
        throw new RangeError(`Order ${order.orderId} has the amount ${order.amount}`);
      }
    })
    .selectKey((order) => order.orderId);
  byOrder
    .join(
      builder.stream(payments),
      (order, payment): EnrichedOrder => ({
        ...order,
        status: payment.status,
        paidAt: payment.paidAt,
      }),
      within({ timeDifference: seconds(30), grace: seconds(10) }),
      { name: "orders-with-payments", key: string(), value: orderSerde, otherValue: paymentSerde },
    )
    .to(enrichedOrders);
}

/** The topology that `weir run` runs. */
export const topology = defineTopology(enrichOrders);
