import { StreamRecord } from "../../record/record.ts";
import type { KeyValueStore, StoreBuilder, WindowStore } from "../../state/store.ts";
import type { Processor, ProcessorContext, ProcessorSupplier } from "../../topology/processor.ts";
import type { JoinWindows } from "../windows.ts";
import { synchronous, type ValueJoiner } from "./functions.ts";
import { LeftOrRightValue, TimestampedKeyAndJoinSide } from "./join_side.ts";
import { equalKeys } from "./key_equality.ts";
import {
  OUTER_JOIN_EMIT_INTERVAL_SETTING,
  type TimeTracker,
  type TimeTrackerSupplier,
} from "./time_tracker.ts";

/** Options of one side of a stream-stream join. */
export interface KStreamKStreamJoinOptions<K, This, Other, Out> {
  readonly side: "left" | "right";
  readonly windows: JoinWindows;
  /** This side's value first: `reverseJoiner` turns the user's joiner round for the right side. */
  readonly joiner: ValueJoiner<K, This | null, Other | null, Out>;
  /** This side's records without a match are joined with null: the left side of a left join, both of an outer join. */
  readonly outer: boolean;
  /** Shared by both sides. */
  readonly timeTracker: TimeTrackerSupplier;
  /** The other side's window store, which keeps duplicates. */
  readonly otherStore: StoreBuilder;
  /** The list store of unmatched records, shared by both sides; absent for an inner join. Key and value: see `join_side.ts`. */
  readonly outerStore?: StoreBuilder;
}

/**
 * One side of a join of two streams: a record meets the records of the other side that lie in its window. In left and outer joins,
 * unmatched records wait until their window and grace have passed (KIP-633). Kafka Streams: `KStreamKStreamJoinLeftSide`, `…RightSide`.
 */
export class KStreamKStreamJoin<K, This, Other, Out> implements ProcessorSupplier<K, This, K, Out> {
  readonly #options: KStreamKStreamJoinOptions<K, This, Other, Out>;
  constructor(options: KStreamKStreamJoinOptions<K, This, Other, Out>) {
    this.#options = options;
  }
  get(): Processor<K, This, K, Out> {
    return new StreamJoinProcessor(this.#options);
  }
  stores(): readonly StoreBuilder[] {
    const { otherStore, outerStore } = this.#options;
    return outerStore === undefined ? [otherStore] : [otherStore, outerStore];
  }
}

type WaitingStore<K, This, Other> = KeyValueStore<
  TimestampedKeyAndJoinSide<K>,
  LeftOrRightValue<This | Other, This | Other>
>;

class StreamJoinProcessor<K, This, Other, Out> implements Processor<K, This, K, Out> {
  readonly #options: KStreamKStreamJoinOptions<K, This, Other, Out>;
  readonly #isLeft: boolean;
  /** How far the other side's record may lie before and after this side's. */
  readonly #beforeMs: number;
  readonly #afterMs: number;
  #context!: ProcessorContext<K, Out>;
  #otherStore!: WindowStore<K, Other>;
  #waiting: WaitingStore<K, This, Other> | null = null;
  #tracker!: TimeTracker;

  constructor(options: KStreamKStreamJoinOptions<K, This, Other, Out>) {
    this.#options = options;
    const { windows } = options;
    this.#isLeft = options.side === "left";
    this.#beforeMs = this.#isLeft ? windows.beforeMs : windows.afterMs;
    this.#afterMs = this.#isLeft ? windows.afterMs : windows.beforeMs;
  }

  init(context: ProcessorContext<K, Out>): void {
    const { otherStore, outerStore, timeTracker } = this.#options;
    this.#context = context;
    this.#otherStore = context.getStateStore<WindowStore<K, Other>>(otherStore.name);
    this.#tracker = timeTracker.get(context.taskId);
    if (outerStore !== undefined) {
      this.#waiting = context.getStateStore<WaitingStore<K, This, Other>>(outerStore.name);
    }
    const interval = context.setting(OUTER_JOIN_EMIT_INTERVAL_SETTING);
    if (interval !== undefined) this.#tracker.emitIntervalMs = Number(interval);
  }

  process(record: StreamRecord<K, This>): void {
    const { key, value, timestamp } = record;
    const tracker = this.#tracker;
    if (timestamp > tracker.streamTime) tracker.streamTime = timestamp;
    const hasKey = key !== null && key !== undefined;
    const hasValue = value !== null && value !== undefined;
    if (!hasKey || !hasValue) {
      // Without a key there is no match to wait for (KIP-962).
      if (hasValue && this.#options.outer) this.#forward(record, value, null, timestamp);
      else this.#context.dropped(hasKey ? "null-value" : "null-key");
      return;
    }
    // A late record does not move time, so nothing more has closed.
    if (this.#waiting !== null && timestamp === tracker.streamTime) this.#emitUnmatched(record);

    const from = Math.max(0, timestamp - this.#beforeMs);
    const to = Math.max(0, timestamp + this.#afterMs);
    let isMatched = false;
    for (const [otherTimestamp, other] of this.#otherStore.fetchRange(key, from, to)) {
      isMatched = true;
      // The other record is matched now: it must not come out as unmatched.
      if (this.#waiting !== null) {
        const otherKey = new TimestampedKeyAndJoinSide(key, otherTimestamp, !this.#isLeft);
        this.#waiting.putIfAbsent(otherKey, null);
      }
      const later = otherTimestamp > timestamp ? otherTimestamp : timestamp;
      this.#forward(record, value, other, later);
    }
    if (!isMatched && this.#options.outer) this.#keepUnmatched(record, to);
  }

  #keepUnmatched(record: StreamRecord<K, This>, windowEnd: number): void {
    const { key, value, timestamp } = record;
    const tracker = this.#tracker;
    // The stream time of both sides together says that nothing can match any more, whatever the grace.
    if (this.#waiting === null || windowEnd < tracker.streamTime) {
      this.#forward(record, value, null, timestamp);
      return;
    }
    if (timestamp < tracker.minTime) tracker.minTime = timestamp;
    this.#waiting.put(
      new TimestampedKeyAndJoinSide(key, timestamp, this.#isLeft),
      new LeftOrRightValue<This | Other, This | Other>(value, this.#isLeft),
    );
  }

  #emitUnmatched(record: StreamRecord<K, This>): void {
    const tracker = this.#tracker;
    const graceMs = this.#options.windows.graceMs;
    // An iteration is dear: only when there might be something to emit, and not too often.
    if (this.#isNothingDue(graceMs)) return;
    const now = this.#context.currentSystemTimeMs();
    if (now < tracker.nextTimeToEmit) return;
    tracker.nextTimeToEmit = now + tracker.emitIntervalMs;
    tracker.minTime = Infinity;

    const waiting = this.#waiting!;
    let emitted: TimestampedKeyAndJoinSide<K> | null = null;
    let isLeftOpen = false;
    let isRightOpen = false;
    for (const [key, entry] of waiting.all()) {
      tracker.minTime = key.timestamp;
      if (isLeftOpen && isRightOpen) break;
      if (this.#isOpen(key)) {
        // Entries come by time: all later ones of that side are open too.
        if (key.isLeft) isLeftOpen = true;
        else isRightOpen = true;
        continue;
      }
      this.#forwardUnmatched(record, key, entry);
      // Deleting a key deletes all its records, so not before the last of them is out.
      if (emitted !== null && !isSameEntry(emitted, key)) waiting.put(emitted, null);
      emitted = key;
    }
    if (emitted !== null) waiting.put(emitted, null);
  }

  /**
   * Without anything that waits, Kafka Streams' sum of its greatest number and the reach wraps around, and it looks all the same: so the
   * throttle starts with the first record, not with the first unmatched one. Results under a throttle depend on that.
   */
  #isNothingDue(graceMs: number): boolean {
    const { minTime, streamTime } = this.#tracker;
    const reachMs = this.#afterMs + graceMs;
    return minTime === Infinity ? reachMs <= 0 : minTime + reachMs >= streamTime;
  }

  #isOpen(key: TimestampedKeyAndJoinSide<K>): boolean {
    const { windows } = this.#options;
    const reachMs = key.isLeft ? windows.afterMs : windows.beforeMs;
    return key.timestamp + reachMs + windows.graceMs >= this.#tracker.streamTime;
  }

  #forwardUnmatched(
    record: StreamRecord<K, This>,
    key: TimestampedKeyAndJoinSide<K>,
    entry: LeftOrRightValue<This | Other, This | Other>,
  ): void {
    const isMine = entry.isLeft === this.#isLeft;
    const here = isMine ? entry.value as This : null;
    const there = isMine ? null : entry.value as Other;
    const result = synchronous(this.#options.joiner(here, there, key.key), "joiner");
    this.#context.forward(new StreamRecord(key.key, result, key.timestamp, record.headers));
  }

  #forward(
    record: StreamRecord<K, This>,
    here: This,
    there: Other | null,
    timestamp: number,
  ): void {
    const result = synchronous(this.#options.joiner(here, there, record.key), "joiner");
    this.#context.forward(new StreamRecord(record.key, result, timestamp, record.headers));
  }

  close(): void {
    this.#options.timeTracker.remove(this.#context.taskId);
  }
}

function isSameEntry<K>(
  a: TimestampedKeyAndJoinSide<K>,
  b: TimestampedKeyAndJoinSide<K>,
): boolean {
  return a.timestamp === b.timestamp && a.isLeft === b.isLeft && equalKeys(a.key, b.key);
}
