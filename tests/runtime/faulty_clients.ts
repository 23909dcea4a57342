// Clients that fail where a test wants it: before or after the real call, with any of Kafka's errors.
import { KafkaError } from "../../lib/errors.ts";
import type { Admin, Consumer, KafkaClients, Producer } from "../../lib/kafka/client.ts";

/** Replaces methods of the clients; `real` is what the replacement may call. */
export interface Faults {
  producer?(real: Producer): Partial<Producer>;
  /** `role` is what the client's id ends with: `consumer`, `restore-consumer` or `global-consumer`. */
  consumer?(real: Consumer, role: string): Partial<Consumer>;
  admin?(real: Admin): Partial<Admin>;
}

export function faultyClients(real: KafkaClients, faults: Faults): KafkaClients {
  return {
    producer(config, events) {
      const made = real.producer(config, events);
      return overriding(made, faults.producer?.(made) ?? {});
    },
    consumer(config, events) {
      const made = real.consumer(config, events);
      const role = /-((restore-|global-)?consumer)$/.exec(String(config["client.id"]))?.[1] ?? "";
      return overriding(made, faults.consumer?.(made, role) ?? {});
    },
    admin(config, events) {
      const made = real.admin(config, events);
      return overriding(made, faults.admin?.(made) ?? {});
    },
  };
}

function overriding<T extends object>(real: T, own: Partial<T>): T {
  return new Proxy(real, {
    get(target, name) {
      const found = own[name as keyof T] ?? target[name as keyof T];
      return typeof found === "function" ? found.bind(target) : found;
    },
  });
}

/** What a request that was not answered in time says: nobody knows whether it took effect. */
export function timedOut(): KafkaError {
  return new KafkaError("no answer in time", {
    code: -185,
    codeName: "_TIMED_OUT",
    retriable: true,
  });
}
