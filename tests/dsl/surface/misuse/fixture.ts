// Topics and functions that the misuse tests share.
import {
  keyValueStoreBuilder,
  long,
  persistentKeyValueStore,
  persistentVersionedKeyValueStore,
  string,
  topic,
} from "../../../../mod.ts";

export const lines = topic("lines", { key: string(), value: string() });
export const other = topic("other", { key: string(), value: string() });
export const versioned = persistentVersionedKeyValueStore("history", { historyRetentionMs: 1000 });
export const counts = (name = "counts") =>
  keyValueStoreBuilder(persistentKeyValueStore(name), { key: string(), value: long() });
export const identity = (value: string) => value;
export const both = (left: unknown, right: unknown) => `${left}+${right}`;
/** What strict types refuse and plain JavaScript does not. */
export const nothing: any = null;
