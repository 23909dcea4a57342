/**
 * What each customer orders in each minute: tumbling windows with ten seconds of grace, held back until the window closes, one record per
 * customer and minute.
 *
 *     weir run examples/orders/aggregate.ts --set application.id=orders-aggregate --set bootstrap.servers=localhost:9092
 *
 * @module
 */
import { defineTopology, minutes, seconds, type StreamsBuilder, tumbling } from "weir";
import type { OrderStats } from "./schemas.ts";
import { orders, orderStats, orderStatsSerde } from "./topics.ts";

/** The store behind the aggregate. */
export const ORDER_STATS_STORE = "order-stats";

const NONE: OrderStats = { count: 0, total: 0, max: 0, lastOrderId: "" };

/** Adds the aggregate to a topology. */
export function aggregateOrders(builder: StreamsBuilder): void {
  builder.stream(orders)
    .groupByKey()
    .windowedBy(tumbling({ size: minutes(1), grace: seconds(10) }))
    .aggregate(
      () => NONE,
      (stats: OrderStats, order) => ({
        count: stats.count + 1,
        total: stats.total + order.amount,
        max: Math.max(stats.max, order.amount),
        lastOrderId: order.orderId,
      }),
      { store: ORDER_STATS_STORE, value: orderStatsSerde },
    )
    .suppress({ until: "windowCloses" })
    .toStream()
    .selectKey((_, windowed) => windowed.key)
    .to(orderStats);
}

/** The topology that `weir run` runs. */
export const topology = defineTopology(aggregateOrders);
