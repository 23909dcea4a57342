import type { ByteWriter } from "../record/bytes.ts";
import type { Serde, SerdeSite } from "../serde/serde.ts";
import { declaredTopic, isDeclaration, type TopicDeclaration } from "../topology/declared_topic.ts";
import { checkOffsetReset } from "../topology/offset_reset.ts";
import type { AutoOffsetReset, TimestampExtractor } from "../topology/processor.ts";

/**
 * How a topic is read. With `partitions`, `replicationFactor` or `settings` the topic is declared: at the start it is made when it is missing,
 * and otherwise checked. Kafka Streams: `Consumed`.
 */
export interface Consumed<K, V> extends TopicDeclaration {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** Chooses each record's timestamp. Default: that of the configuration. */
  readonly timestampExtractor?: TimestampExtractor;
  /** Where reading starts when the group has no offset. Default: that of the configuration. */
  readonly offsetReset?: AutoOffsetReset;
}

/**
 * A topic with the types of its keys and values. `Absent` is `null` for a topic in whose streams null values are to be expected, as in
 * those that hold a table's changes.
 */
export interface Topic<K, V, Absent extends null = never> extends Consumed<K, V> {
  readonly topic: string;
  /** Whether streams of it have values `V | null`. */
  readonly nullable: boolean;
  /** Only in the type. */
  readonly "~absent"?: Absent;
}

/** What can write values of a type, among others. */
export interface Writes<T> {
  readonly encode: (value: T, out: ByteWriter, site: SerdeSite) => void;
}

/** A topic that records of these types can be written to. */
export interface TopicFor<K, V> {
  readonly topic: string;
  readonly key: Writes<K>;
  readonly value: Writes<V>;
}

/**
 * A topic as a typed value: streams and tables of it, and what is written to it, know their types by it.
 *
 * ```ts
 * const orders = topic("orders-input", { key: string(), value: json<Order>() });
 * builder.stream(orders).filter((order) => order.amount > 0).to(orders);
 * ```
 * Its partitions and settings may be declared, and are then made or checked at the start:
 *
 * ```ts
 * const orders = topic("orders-input", {
 *   key: string(),
 *   value: json<Order>(),
 *   partitions: 12,
 *   replicationFactor: 3,
 *   settings: { "cleanup.policy": "delete", "retention.ms": days(7) },
 * });
 * ```
 * @throws {TypeError} when the name or a serde is missing
 * @throws {RangeError} when a declared number is not a positive whole one
 */
export function topic<K, V>(
  name: string,
  options: Consumed<K, V> & { readonly nullable: true },
): Topic<K, V, null>;
export function topic<K, V>(name: string, options: Consumed<K, V>): Topic<K, V>;
export function topic<K, V>(
  name: string,
  options: Consumed<K, V> & { readonly nullable?: boolean },
): Topic<K, V, any> {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(
      `Cannot name a topic as the name must be a text that is not empty: current value is ${name}`,
    );
  }
  for (const part of ["key", "value"] as const) {
    if (typeof options?.[part]?.decode !== "function") {
      throw new TypeError(
        `Cannot use the topic ${name} as it needs a serde { ${part}: … }: current value is ${
          options?.[part]
        }`,
      );
    }
  }
  if (isDeclaration(options)) declaredTopic(name, options);
  checkOffsetReset(name, options.offsetReset);
  return Object.freeze({ ...options, topic: name, nullable: options.nullable === true });
}

/** Whether a value is a topic. */
export function isTopic(value: unknown): value is Topic<any, any, any> {
  return typeof value === "object" && value !== null && "topic" in value && "decode" in
      ((value as Topic<any, any>).key ?? {});
}
