import { StreamsException } from "../errors.ts";
import { Headers } from "./headers.ts";

/**
 * What flows through a topology: key, value, timestamp (epoch ms) and headers. Immutable; `with…` give a changed copy.
 * Kafka Streams: `processor.api.Record` (TypeScript has a global of that name already).
 */
export class StreamRecord<K = unknown, V = unknown> {
  readonly key: K;
  readonly value: V;
  /** Epoch milliseconds, never negative. */
  readonly timestamp: number;
  readonly headers: Headers;

  /** @throws {StreamsException} when the timestamp is negative or not a number. */
  constructor(key: K, value: V, timestamp: number, headers: Headers = Headers.EMPTY) {
    if (!(timestamp >= 0)) throw malformedTimestamp(timestamp);
    this.key = key;
    this.value = value;
    this.timestamp = timestamp;
    this.headers = headers;
  }

  /** The same record with another key. */
  withKey<K2>(key: K2): StreamRecord<K2, V> {
    return new StreamRecord(key, this.value, this.timestamp, this.headers);
  }

  /** The same record with another value. */
  withValue<V2>(value: V2): StreamRecord<K, V2> {
    return new StreamRecord(this.key, value, this.timestamp, this.headers);
  }

  /** The same record with another timestamp (epoch ms). */
  withTimestamp(timestamp: number): StreamRecord<K, V> {
    return new StreamRecord(this.key, this.value, timestamp, this.headers);
  }

  /** The same record with other headers. */
  withHeaders(headers: Headers): StreamRecord<K, V> {
    return new StreamRecord(this.key, this.value, this.timestamp, headers);
  }
}

function malformedTimestamp(timestamp: number): StreamsException {
  return new StreamsException(
    `Cannot make a record as its timestamp is negative or not a number: current value is ${timestamp}`,
  );
}
