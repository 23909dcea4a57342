import { StreamsException } from "../errors.ts";
import { ByteWriter } from "../record/bytes.ts";
import { Headers } from "../record/headers.ts";
import { StreamRecord } from "../record/record.ts";
import type { Serde } from "../serde/serde.ts";
import type { CapturedRecord } from "./capturing_collector.ts";
import type { TopologyTestDriver } from "./topology_test_driver.ts";

/** How a topic's bytes are written and read in a test. */
export interface TopicSerdes<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
}

/** When a piped record takes place, and its headers. */
export interface PipeOptions {
  /** Epoch ms; without it the topic's own time, which moves by `autoAdvanceMs` after each record. */
  readonly timestamp?: number;
  readonly headers?: Headers;
}

/** Pipes records into a topology. Kafka Streams: `TestInputTopic`. */
export class TestInputTopic<K, V> {
  readonly name: string;
  readonly #driver: TopologyTestDriver;
  readonly #serdes: TopicSerdes<K, V>;
  readonly #autoAdvanceMs: number;
  #time: number;
  readonly #scratch = new ByteWriter();

  /** Made by `TopologyTestDriver.createInputTopic`. */
  constructor(
    driver: TopologyTestDriver,
    name: string,
    serdes: TopicSerdes<K, V>,
    startMs: number,
    autoAdvanceMs: number,
  ) {
    this.#driver = driver;
    this.name = name;
    this.#serdes = serdes;
    this.#time = startMs;
    this.#autoAdvanceMs = autoAdvanceMs;
  }

  /** Pipes one record and processes it to the end. @throws {StreamsException} when processing fails. */
  pipe(key: K | null, value: V | null, options: PipeOptions = {}): void {
    const timestamp = options.timestamp ?? this.#time;
    if (options.timestamp === undefined) this.#time += this.#autoAdvanceMs;
    this.#driver.pipeRaw({
      topic: this.name,
      key: this.#encode(this.#serdes.key, key, true),
      value: this.#encode(this.#serdes.value, value, false),
      timestamp,
      headers: options.headers ?? Headers.EMPTY,
    });
  }

  /** Pipes several records; each takes the topic's time. */
  pipeAll(records: Iterable<readonly [K | null, V | null]>): void {
    for (const [key, value] of records) this.pipe(key, value);
  }

  /** Pipes several values without keys; each takes the topic's time. */
  pipeValues(values: Iterable<V | null>): void {
    for (const value of values) this.pipe(null, value);
  }

  /** Pipes records as they are, with their own timestamps and headers. */
  pipeRecords(records: Iterable<StreamRecord<K | null, V | null>>): void {
    for (const { key, value, timestamp, headers } of records) {
      this.pipe(key, value, { timestamp, headers });
    }
  }

  /** Moves the topic's own time. */
  advanceTime(ms: number): void {
    if (ms < 0) {
      throw new RangeError(
        `Cannot advance the time of ${this.name} as it must not go back: current value is ${ms}`,
      );
    }
    this.#time += ms;
  }

  #encode<T>(serde: Serde<T>, value: T | null, isKey: boolean): Uint8Array | null {
    if (value === null || value === undefined) return null;
    this.#scratch.reset();
    serde.encode(value, this.#scratch, { topic: this.name, isKey });
    return this.#scratch.copy();
  }
}

/** Reads what a topology wrote, in order. Kafka Streams: `TestOutputTopic`. */
export class TestOutputTopic<K, V> {
  readonly name: string;
  readonly #driver: TopologyTestDriver;
  readonly #serdes: TopicSerdes<K, V>;

  /** Made by `TopologyTestDriver.createOutputTopic`. */
  constructor(driver: TopologyTestDriver, name: string, serdes: TopicSerdes<K, V>) {
    this.#driver = driver;
    this.name = name;
    this.#serdes = serdes;
  }

  /** Whether nothing is left to read. */
  get isEmpty(): boolean {
    return this.queueSize === 0;
  }
  /** How many records are left to read. */
  get queueSize(): number {
    return this.#driver.outputQueue(this.name).length;
  }

  /** The next record. @throws {StreamsException} when there is none. */
  readRecord(): StreamRecord<K | null, V | null> {
    const record = this.#driver.outputQueue(this.name).shift();
    if (record === undefined) {
      throw new StreamsException(
        `Cannot read from ${this.name} as it is empty: current value is 0 records`,
      );
    }
    return this.#decode(record);
  }
  /** The next record's value. @throws {StreamsException} when there is none. */
  readValue(): V | null {
    return this.readRecord().value;
  }
  /** The next record's key and value. @throws {StreamsException} when there is none. */
  readKeyValue(): [K | null, V | null] {
    const { key, value } = this.readRecord();
    return [key, value];
  }
  /** All that is left. */
  readRecords(): StreamRecord<K | null, V | null>[] {
    return this.#driver.outputQueue(this.name).splice(0).map((r) => this.#decode(r));
  }
  /** All that is left, as keys and values. */
  readKeyValues(): [K | null, V | null][] {
    return this.readRecords().map(({ key, value }) => [key, value]);
  }
  /** All that is left, as values. */
  readValues(): (V | null)[] {
    return this.readRecords().map(({ value }) => value);
  }
  /** The last value of each key among what is left. */
  readKeyValuesToMap(): Map<K | null, V | null> {
    return new Map(this.readKeyValues());
  }

  #decode(
    { topic, key, value, timestamp, headers }: CapturedRecord,
  ): StreamRecord<K | null, V | null> {
    const { key: keySerde, value: valueSerde } = this.#serdes;
    return new StreamRecord(
      key === null ? null : keySerde.decode(key, 0, key.length, { topic, isKey: true }, headers),
      value === null
        ? null
        : valueSerde.decode(value, 0, value.length, { topic, isKey: false }, headers),
      timestamp,
      headers,
    );
  }
}
