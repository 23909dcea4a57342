/** Topics that the type tests share, and an exact comparison of types. */
import { json, long, StreamsBuilder, string, topic } from "../../mod.ts";

/** True only where both types are the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;

/** Compiles only for `true`. */
export function holds<_ extends true>(): void {}

/** The key and value types of a stream, table or grouped stream. */
export type KeyOf<T> = T extends { readonly "~record": { readonly key: infer K } } ? K : never;
export type ValueOf<T> = T extends { readonly "~record": { readonly value: infer V } } ? V : never;

export interface Order {
  readonly id: string;
  readonly customerId: string;
  readonly amount: number;
}
export interface Customer {
  readonly name: string;
}

export const builder: StreamsBuilder = new StreamsBuilder();
export const orders = topic("orders", { key: string(), value: json<Order>() });
export const customers = topic("customers", { key: string(), value: json<Customer>() });
export const counts = topic("counts", { key: string(), value: long() });
export const changes = topic("changes", { key: string(), value: json<Order>(), nullable: true });
