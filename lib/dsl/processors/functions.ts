/**
 * The user's functions, value first, and the check that they are synchronous.
 *
 * @module
 */
import { asyncFunctionError, isThenable } from "../../errors.ts";

/** Whether a record stays. Kafka Streams: `Predicate`. */
export type Predicate<K, V> = (value: V, key: K) => boolean;
/** A new value. Kafka Streams: `ValueMapperWithKey`. */
export type ValueMapper<K, V, R> = (value: V, key: K) => R;
/** Something of a record: a new key, a foreign key. Kafka Streams: `KeyValueMapper`. */
export type KeyMapper<K, V, R> = (value: V, key: K) => R;
/** A new key and value. Kafka Streams: `KeyValueMapper` to `KeyValue`. */
export type PairMapper<K, V, K2, V2> = (value: V, key: K) => readonly [K2, V2];
/** Something done with a record. Kafka Streams: `ForeachAction`. */
export type ForeachAction<K, V> = (value: V, key: K) => void;
/** The value of an aggregate before its first record. Kafka Streams: `Initializer`. */
export type Initializer<A> = () => A;
/** The aggregate with one more value. Kafka Streams: `Aggregator`. */
export type Aggregator<K, V, A> = (aggregate: A, value: V, key: K) => A | null;
/** Two values to one of the same type. Kafka Streams: `Reducer`. */
export type Reducer<V> = (aggregate: V, value: V) => V | null;
/** Two sessions' aggregates to one. Kafka Streams: `Merger`. */
export type Merger<K, A> = (left: A, right: A, key: K) => A;
/** Two joined values to one. Kafka Streams: `ValueJoinerWithKey`. */
export type ValueJoiner<K, L, R, Out> = (left: L, right: R, key: K) => Out;

/** The joiner as the right side needs it, its own value first. Java: `AbstractStream.reverseJoinerWithKey`. */
export function reverseJoiner<K, L, R, Out>(
  joiner: ValueJoiner<K, L, R, Out>,
): ValueJoiner<K, R, L, Out> {
  return (right, left, key) => joiner(left, right, key);
}

/**
 * Gives the result of a user's function back, or refuses it.
 *
 * @throws {AsyncFunctionError} when it is a Promise or another thenable
 */
export function synchronous<T>(result: T, what: string): T {
  if (typeof result === "object" && result !== null && isThenable(result)) refuse(what, result);
  return result;
}

function refuse(what: string, promise: PromiseLike<unknown>): never {
  throw asyncFunctionError(
    `Cannot use the ${what} as user functions are synchronous: current value is a Promise; do asynchronous work before the topic or behind it`,
    promise,
  );
}
