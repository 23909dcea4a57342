/**
 * What the compiler knows of a stream or table beside its types: whether the serdes are known, so that it can ask for one exactly where
 * a new key or value has to be written, and whether records lie in the partition of their key.
 *
 * @module
 */
import type { Serde } from "../serde/serde.ts";
import type { GroupedHandle } from "./stream_aggregation.ts";
import type { StreamHandle } from "./stream_handle.ts";
import type { TableHandle } from "./table_handle.ts";

/**
 * `key`, `value`: that serde is known. `placed`: records lie in the partition of their key, so that grouping and joining
 * need no repartition topic.
 */
export type StreamState = "key" | "value" | "placed";

/** `key`, `value`: that serde is known. `dense`: rows are never deleted, so that its stream has no null values. */
export type TableState = "key" | "value" | "dense";

/** A key serde, which must be given unless it is known. */
export type KeyNeed<State, K> = "key" extends State ? { readonly key?: Serde<K> }
  : { readonly key: Serde<K> };

/** A value serde, which must be given unless it is known. */
export type ValueNeed<State, V> = "value" extends State ? { readonly value?: Serde<NonNullable<V>> }
  : { readonly value: Serde<NonNullable<V>> };

/** A value serde that is written only on the way through a repartition topic. */
export type MovedValueNeed<State, V> = "placed" extends State
  ? { readonly value?: Serde<NonNullable<V>> }
  : ValueNeed<State, V>;

/** Options that may be left out when none of them must be given. */
export type OptionsArgument<Options> = Record<never, never> extends Options ? [options?: Options]
  : [options: Options];

/** The state with the serdes that these options name. */
export type WithSerdes<State, Options> =
  | State
  | (Options extends { readonly key: Serde<any> } ? "key" : never)
  | (Options extends { readonly value: Serde<any> } ? "value" : never);

/** Carries a state in the type alone: what knows more can stand where less is asked for. */
export type StateMark<State extends string> = { readonly [Fact in State]: true };

/** Carries the types of keys and values in the type alone. */
export interface RecordMark<K, V> {
  readonly key: K;
  readonly value: V;
}

/** Any stream of these types that knows at least these facts. */
export interface StreamOf<K, V, State extends StreamState = never> {
  readonly handle: StreamHandle;
  readonly "~record": RecordMark<K, V>;
  readonly "~state": StateMark<State>;
}

/** Any table of these types. */
export interface TableOf<K, V> {
  readonly handle: TableHandle;
  readonly "~record": RecordMark<K, V>;
}

/** Any grouped stream of these types. */
export interface GroupedStreamOf<K, V> {
  readonly handle: GroupedHandle;
  readonly "~record": RecordMark<K, V>;
}
