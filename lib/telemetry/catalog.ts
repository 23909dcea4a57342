import { CLIENT } from "./client_metrics.ts";
import type { MetricDefinition } from "./definition.ts";
import { LAG } from "./lag_metrics.ts";
import { LIBRDKAFKA } from "./librdkafka_metrics.ts";
import { SUMMARY } from "./merge.ts";
import { PROCESS } from "./process_metrics.ts";
import { STORE } from "./store_metrics.ts";
import { NODE, TASK, TOPIC } from "./task_metrics.ts";
import { THREAD, THREAD_EVENTS, THREAD_OPERATIONS } from "./thread_metrics.ts";

/** Every metric, by group. docs/metrics.md lists the same; alert rules and dashboards name no other. */
export const CATALOG: Readonly<Record<string, readonly MetricDefinition[]>> = {
  "The application": Object.values(SUMMARY),
  "Clients": Object.values(CLIENT),
  "Threads": [
    ...Object.values(THREAD_OPERATIONS).flatMap((operation) => Object.values(operation)),
    ...Object.values(THREAD),
    ...Object.values(THREAD_EVENTS),
  ],
  "Tasks": Object.values(TASK),
  "Processor nodes": Object.values(NODE),
  "Topics": Object.values(TOPIC),
  "Stores": Object.values(STORE),
  "Partitions": Object.values(LAG),
  "Kafka's clients": Object.values(LIBRDKAFKA),
  "The process": Object.values(PROCESS),
};
