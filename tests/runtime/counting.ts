// Topologies that several tests run: a pass-through and a count in a store.
import { string } from "../../lib/serde/primitives.ts";
import { keyValueStoreBuilder } from "../../lib/state/stores.ts";
import { inMemoryKeyValueStore, persistentKeyValueStore } from "../../lib/state/suppliers.ts";
import type { KeyValueStore } from "../../lib/state/store.ts";
import type { Processor, ProcessorContext } from "../../lib/topology/processor.ts";
import type { StreamRecord } from "../../lib/record/record.ts";
import { Topology } from "../../lib/topology/topology.ts";

const TEXT = { key: string(), value: string() };

/** Copies a topic. */
export function passThrough(from: string, to: string): Topology {
  return new Topology().addSource("source", from, TEXT).addSink("sink", to, TEXT, "source");
}

class Counter implements Processor<string, string, string, string> {
  #context: ProcessorContext<string, string> | undefined;
  #counts: KeyValueStore<string, string> | undefined;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#counts = context.getStateStore("counts");
  }
  process(record: StreamRecord<string, string>): void {
    const count = String(Number(this.#counts!.get(record.key) ?? "0") + 1);
    this.#counts!.put(record.key, count);
    this.#context!.forward(record.withValue(count));
  }
}

/** Counts the records of each key in a store, and writes each new count. */
export function counting(
  from: string,
  to: string,
  { inMemory = false }: { readonly inMemory?: boolean } = {},
): Topology {
  const supplier = inMemory ? inMemoryKeyValueStore("counts") : persistentKeyValueStore("counts");
  return new Topology()
    .addSource("source", from, TEXT)
    .addProcessor("counter", () => new Counter(), "source")
    .addStateStore(keyValueStoreBuilder(supplier, { key: string(), value: string() }), "counter")
    .addSink("sink", to, TEXT, "counter");
}
