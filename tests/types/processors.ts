/** What the compiler knows of processors and their stores, and what it refuses. Checked by `deno check`; never run. */
import {
  keyValueStoreBuilder,
  long,
  persistentKeyValueStore,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  string,
} from "../../mod.ts";
import { builder, counts, holds, type Order, orders, type Same } from "./fixture.ts";

const seen = keyValueStoreBuilder(persistentKeyValueStore("seen"), {
  key: string(),
  value: long(),
});

type ValueOf<T> = T extends { readonly "~record": { readonly value: infer V } } ? V : never;

export function objects(): void {
  const stream = builder.stream(orders);
  const same = stream.process({
    stores: { seen },
    init(ctx) {
      ctx.schedule(1000, "wall-clock-time", (now) => ctx.stores.seen.put("last", now));
    },
    process(record, ctx) {
      const before: number | null = ctx.stores.seen.get(record.key);
      if (before === null) ctx.forward(record);
    },
  });
  holds<Same<ValueOf<typeof same>, Order>>();

  const counted = stream.process({
    stores: { seen },
    key: string(),
    value: long(),
    process(record, ctx) {
      ctx.forward(record.withValue(ctx.stores.seen.get(record.key) ?? 0));
    },
  });
  holds<Same<ValueOf<typeof counted>, number>>();
  counted.to(counts);

  stream.process({
    stores: { seen },
    process(record, ctx) {
      // @ts-expect-error the store's values are numbers
      ctx.stores.seen.put(record.key, "now");
      // @ts-expect-error there is no such store
      ctx.stores.other.get(record.key);
      // @ts-expect-error what is forwarded has the stream's type
      ctx.forward(record.withValue(1));
    },
  });
  stream.processValues({
    stores: { seen },
    value: long(),
    process(record, ctx) {
      ctx.forward(record.withValue(record.value.amount));
      // @ts-expect-error the key cannot be changed
      record.withKey("other");
    },
  });
}

class Counter implements Processor<string, Order, string, number> {
  init(_context: ProcessorContext<string, number>): void {}
  process(_record: StreamRecord<string, Order>): void {}
}

export function suppliers(): void {
  const stream = builder.stream(orders);
  const counted = stream.process(() => new Counter(), { stores: ["seen"] });
  holds<Same<ValueOf<typeof counted>, number>>();
  // @ts-expect-error the processor takes orders
  builder.stream(counts).process(() => new Counter());
}
