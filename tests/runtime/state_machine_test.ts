import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { StreamsException } from "../../lib/errors.ts";
import { StateMachine } from "../../lib/runtime/state_machine.ts";
import { CLIENT_TRANSITIONS, THREAD_TRANSITIONS } from "../../lib/runtime/states.ts";

test("StateMachine tells each change once, and refuses what may not follow", () => {
  const told: string[] = [];
  const machine = new StateMachine(
    "app",
    "CREATED",
    CLIENT_TRANSITIONS,
    (next, previous) => told.push(`${previous} -> ${next}`),
  );
  machine.go("REBALANCING");
  assertEquals(machine.tryGo("REBALANCING"), false);
  machine.go("RUNNING");
  machine.go("RUNNING");
  const error = assertThrows(() => machine.go("ERROR"), StreamsException);
  assertEquals(
    error.message,
    "Cannot go to ERROR in app as that may not follow: current value is RUNNING",
  );
  assertEquals(told, ["CREATED -> REBALANCING", "REBALANCING -> RUNNING"]);
});

// The tables of KafkaStreams.State and StreamThread.State in Kafka Streams 4.1.
test("CLIENT_TRANSITIONS are those of Kafka Streams", () => {
  assertEquals(CLIENT_TRANSITIONS, {
    CREATED: ["REBALANCING", "PENDING_SHUTDOWN"],
    REBALANCING: ["RUNNING", "PENDING_SHUTDOWN", "PENDING_ERROR"],
    RUNNING: ["REBALANCING", "RUNNING", "PENDING_SHUTDOWN", "PENDING_ERROR"],
    PENDING_SHUTDOWN: ["NOT_RUNNING"],
    NOT_RUNNING: [],
    PENDING_ERROR: ["ERROR"],
    ERROR: [],
  });
});

test("THREAD_TRANSITIONS lead to PENDING_SHUTDOWN from every state in which a thread lives", () => {
  for (const [state, next] of Object.entries(THREAD_TRANSITIONS)) {
    const ends = state === "PENDING_SHUTDOWN" || state === "DEAD";
    assertEquals(next.includes("PENDING_SHUTDOWN"), !ends, state);
  }
});
