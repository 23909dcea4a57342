import { Change } from "../../record/change.ts";
import { StreamRecord } from "../../record/record.ts";
import { ValueAndTimestamp } from "../../state/store.ts";
import type { ProcessingContext, Processor, ProcessorContext } from "../../topology/processor.ts";
import { synchronous, type ValueJoiner } from "./functions.ts";
import {
  type KTableProcessorSupplier,
  type KTableValueGetter,
  type KTableValueGetterSupplier,
  type ParentTable,
  unionOfStoreNames,
} from "./table.ts";
import { noHistory } from "./window_value_getter.ts";

/** Options of one side of a table-table join. */
export interface KTableKTableJoinOptions<K, This, Other, Out> {
  /** The table whose changes this side sees. */
  readonly thisTable: ParentTable<K, This>;
  /** The table that is looked up. */
  readonly otherTable: ParentTable<K, Other>;
  /** This side's value first: `reverseJoiner` turns the user's joiner round for the other side. */
  readonly joiner: ValueJoiner<K, This | null, Other | null, Out>;
}

/** Which sides a result needs. */
interface Needs {
  readonly needsThis: boolean;
  readonly needsOther: boolean;
}

/** One side of a join of two tables by their common key. Out-of-order updates of versioned tables are dropped (KIP-914). */
abstract class KTableKTableJoin<K, This, Other, Out>
  implements KTableProcessorSupplier<K, This, K, Out> {
  readonly #options: KTableKTableJoinOptions<K, This, Other, Out>;
  readonly #needs: Needs;
  readonly #thisRows: KTableValueGetterSupplier<K, This>;
  readonly #otherRows: KTableValueGetterSupplier<K, Other>;
  #sendOldValues = false;
  #versioned = false;

  constructor(options: KTableKTableJoinOptions<K, This, Other, Out>, needs: Needs) {
    this.#options = options;
    this.#needs = needs;
    // Asking for the getters materializes the tables.
    this.#thisRows = options.thisTable.valueGetterSupplier();
    this.#otherRows = options.otherTable.valueGetterSupplier();
  }
  get(): Processor<K, Change<This>, K, Change<Out>> {
    return new JoinProcessor(
      this.#options.joiner,
      this.#needs,
      this.#otherRows.get(),
      this.#sendOldValues,
      this.#versioned,
    );
  }
  view(): KTableValueGetterSupplier<K, Out> {
    const { joiner } = this.#options;
    return {
      get: () => new JoinedGetter(joiner, this.#needs, this.#thisRows.get(), this.#otherRows.get()),
      storeNames: () => unionOfStoreNames(this.#thisRows, this.#otherRows),
    };
  }
  enableSendingOldValues(_forceMaterialization: boolean): boolean {
    this.#options.thisTable.enableSendingOldValues(true);
    this.#options.otherTable.enableSendingOldValues(true);
    this.#sendOldValues = true;
    return true;
  }
  /** The stores that the processor of this side has to be connected to. */
  otherStoreNames(): readonly string[] {
    return this.#otherRows.storeNames();
  }
  /** This side's table is versioned: out-of-order updates are dropped (KIP-914). */
  useVersionedSemantics(versioned: boolean): void {
    this.#versioned = versioned;
  }
}

/** A result needs both rows. Kafka Streams: `KTableKTableInnerJoin`. */
export class KTableKTableInnerJoin<K, This, Other, Out>
  extends KTableKTableJoin<K, This, Other, Out> {
  constructor(options: KTableKTableJoinOptions<K, This, Other, Out>) {
    super(options, { needsThis: true, needsOther: true });
  }
}

/** The left side of a left join: a result needs this row. Kafka Streams: `KTableKTableLeftJoin`. */
export class KTableKTableLeftJoin<K, This, Other, Out>
  extends KTableKTableJoin<K, This, Other, Out> {
  constructor(options: KTableKTableJoinOptions<K, This, Other, Out>) {
    super(options, { needsThis: true, needsOther: false });
  }
}

/** The right side of a left join: a result needs the other row. Kafka Streams: `KTableKTableRightJoin`. */
export class KTableKTableRightJoin<K, This, Other, Out>
  extends KTableKTableJoin<K, This, Other, Out> {
  constructor(options: KTableKTableJoinOptions<K, This, Other, Out>) {
    super(options, { needsThis: false, needsOther: true });
  }
}

/** Either side of an outer join: a result needs one row. Kafka Streams: `KTableKTableOuterJoin`. */
export class KTableKTableOuterJoin<K, This, Other, Out>
  extends KTableKTableJoin<K, This, Other, Out> {
  constructor(options: KTableKTableJoinOptions<K, This, Other, Out>) {
    super(options, { needsThis: false, needsOther: false });
  }
}

function joined<K, This, Other, Out>(
  joiner: ValueJoiner<K, This | null, Other | null, Out>,
  needs: Needs,
  here: This | null,
  there: Other | null,
  key: K,
): Out | null {
  const isMissing = here === null ? needs.needsThis || there === null : false;
  if (isMissing || (needs.needsOther && there === null)) return null;
  return synchronous(joiner(here, there, key), "joiner") ?? null;
}

class JoinProcessor<K, This, Other, Out> implements Processor<K, Change<This>, K, Change<Out>> {
  readonly #joiner: ValueJoiner<K, This | null, Other | null, Out>;
  readonly #needs: Needs;
  readonly #otherRows: KTableValueGetter<K, Other>;
  readonly #sendOldValues: boolean;
  readonly #versioned: boolean;
  #context!: ProcessorContext<K, Change<Out>>;

  constructor(
    joiner: ValueJoiner<K, This | null, Other | null, Out>,
    needs: Needs,
    otherRows: KTableValueGetter<K, Other>,
    sendOldValues: boolean,
    versioned: boolean,
  ) {
    this.#joiner = joiner;
    this.#needs = needs;
    this.#otherRows = otherRows;
    this.#sendOldValues = sendOldValues;
    this.#versioned = versioned;
  }

  init(context: ProcessorContext<K, Change<Out>>): void {
    this.#context = context;
    this.#otherRows.init(context);
  }

  process(record: StreamRecord<K, Change<This>>): void {
    const { key, value: change } = record;
    if (key === null || key === undefined) {
      this.#context.dropped("null-key");
      return;
    }
    if (this.#versioned && !change.isLatest) {
      this.#context.dropped("out-of-order");
      return;
    }
    const row = this.#otherRows.get(key);
    const there = row === null ? null : row.value;
    if (there === null) {
      const isNothing = change.newValue === null && change.oldValue === null;
      if (this.#needs.needsOther || isNothing) return;
    }
    const newValue = joined(this.#joiner, this.#needs, change.newValue, there, key);
    const oldValue = this.#sendOldValues
      ? joined(this.#joiner, this.#needs, change.oldValue, there, key)
      : null;
    const timestamp = row !== null && row.timestamp > record.timestamp
      ? row.timestamp
      : record.timestamp;
    const result = new Change(newValue, oldValue, change.isLatest);
    this.#context.forward(new StreamRecord(key, result, timestamp, record.headers));
  }

  close(): void {
    this.#otherRows.close?.();
  }
}

/** The joined row, computed at look-up. Never versioned, even if both tables are (KIP-914). */
class JoinedGetter<K, This, Other, Out> implements KTableValueGetter<K, Out> {
  readonly #joiner: ValueJoiner<K, This | null, Other | null, Out>;
  readonly #needs: Needs;
  readonly #thisRows: KTableValueGetter<K, This>;
  readonly #otherRows: KTableValueGetter<K, Other>;

  constructor(
    joiner: ValueJoiner<K, This | null, Other | null, Out>,
    needs: Needs,
    thisRows: KTableValueGetter<K, This>,
    otherRows: KTableValueGetter<K, Other>,
  ) {
    this.#joiner = joiner;
    this.#needs = needs;
    this.#thisRows = thisRows;
    this.#otherRows = otherRows;
  }
  init(context: ProcessingContext): void {
    this.#thisRows.init(context);
    this.#otherRows.init(context);
  }
  get(key: K): ValueAndTimestamp<Out> | null {
    const here = this.#thisRows.get(key);
    if (here === null && this.#needs.needsThis) return null;
    const there = this.#otherRows.get(key);
    const value = joined(this.#joiner, this.#needs, here?.value ?? null, there?.value ?? null, key);
    if (value === null) return null;
    return new ValueAndTimestamp(
      value,
      Math.max(here === null ? -1 : here.timestamp, there === null ? -1 : there.timestamp),
    );
  }
  getAsOf(_key: K, timestamp: number): ValueAndTimestamp<Out> | null {
    throw noHistory("a joined table", timestamp);
  }
  isVersioned(): boolean {
    return false;
  }
  close(): void {
    this.#thisRows.close?.();
    this.#otherRows.close?.();
  }
}
