/**
 * The states of a client and of its threads, with Kafka Streams' names and transitions.
 *
 * @module
 */
import type { Transitions } from "./state_machine.ts";

/**
 * ```
 *   CREATED ─▶ STARTING ─┬─▶ PARTITIONS_REVOKED ◀─┐
 *      │          │      │     │        ▲         │
 *      │          │      │     ▼        │         │
 *      │          │      └▶ PARTITIONS_ASSIGNED ─▶ RUNNING
 *      │          │              │                   │
 *      ▼          ▼              ▼                   ▼
 *   PENDING_SHUTDOWN ◀───────────┴───────────────────┘
 *      │
 *      ▼
 *    DEAD
 * ```
 * Kafka Streams: `StreamThread.State`.
 */
export type ThreadState =
  | "CREATED"
  | "STARTING"
  | "PARTITIONS_REVOKED"
  | "PARTITIONS_ASSIGNED"
  | "RUNNING"
  | "PENDING_SHUTDOWN"
  | "DEAD";

/** What may follow a thread's state. */
export const THREAD_TRANSITIONS: Transitions<ThreadState> = {
  CREATED: ["STARTING", "PENDING_SHUTDOWN"],
  STARTING: ["PARTITIONS_REVOKED", "PARTITIONS_ASSIGNED", "PENDING_SHUTDOWN"],
  PARTITIONS_REVOKED: ["PARTITIONS_REVOKED", "PARTITIONS_ASSIGNED", "PENDING_SHUTDOWN"],
  PARTITIONS_ASSIGNED: ["PARTITIONS_REVOKED", "PARTITIONS_ASSIGNED", "RUNNING", "PENDING_SHUTDOWN"],
  RUNNING: ["PARTITIONS_REVOKED", "PARTITIONS_ASSIGNED", "RUNNING", "PENDING_SHUTDOWN"],
  PENDING_SHUTDOWN: ["DEAD"],
  DEAD: [],
};

/**
 * ```
 *   CREATED ─▶ REBALANCING ◀─▶ RUNNING
 *      │         │    │        │    │
 *      ▼         ▼    │        │    │
 *   PENDING_SHUTDOWN ◀─────────┘    │
 *      │              │             │
 *      ▼              ▼             ▼
 *   NOT_RUNNING     PENDING_ERROR ◀─┘ ─▶ ERROR
 * ```
 * Kafka Streams: `KafkaStreams.State`.
 */
export type ClientState =
  | "CREATED"
  | "REBALANCING"
  | "RUNNING"
  | "PENDING_SHUTDOWN"
  | "NOT_RUNNING"
  | "PENDING_ERROR"
  | "ERROR";

/** What may follow a client's state. */
export const CLIENT_TRANSITIONS: Transitions<ClientState> = {
  CREATED: ["REBALANCING", "PENDING_SHUTDOWN"],
  REBALANCING: ["RUNNING", "PENDING_SHUTDOWN", "PENDING_ERROR"],
  RUNNING: ["REBALANCING", "RUNNING", "PENDING_SHUTDOWN", "PENDING_ERROR"],
  PENDING_SHUTDOWN: ["NOT_RUNNING"],
  NOT_RUNNING: [],
  PENDING_ERROR: ["ERROR"],
  ERROR: [],
};

/** Whether a thread in this state takes part in the application. */
export function isAlive(state: ThreadState): boolean {
  return state !== "CREATED" && state !== "PENDING_SHUTDOWN" && state !== "DEAD";
}
