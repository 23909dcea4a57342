import { StreamsException } from "../errors.ts";
import { systemClock } from "../record/time.ts";
import type { TimestampExtractor } from "./processor.ts";

/**
 * The record's own timestamp; a negative one stops the task. The default, and always used for repartition topics.
 * Kafka Streams: `FailOnInvalidTimestamp`.
 */
export const failOnInvalidTimestamp: TimestampExtractor = (record) => {
  if (record.timestamp >= 0) return record.timestamp;
  throw new StreamsException(
    `Input record {topic=${record.topic}, partition=${record.partition}, offset=${record.offset}, timestamp=${record.timestamp}} has invalid (negative) timestamp. ` +
      "Possibly because a pre-0.10 producer client was used to write this record to Kafka without embedding " +
      "a timestamp, or because the input topic was created before upgrading the Kafka cluster to 0.10+. " +
      "Use a different TimestampExtractor to process this data.",
  );
};

/** The record's own timestamp; a record with a negative one is dropped. Kafka Streams: `LogAndSkipOnInvalidTimestamp`. */
export const logAndSkipOnInvalidTimestamp: TimestampExtractor = (record) => record.timestamp;

/** The record's own timestamp; a negative one is replaced by the partition's time. Kafka Streams: `UsePartitionTimeOnInvalidTimestamp`. */
export const usePartitionTimeOnInvalidTimestamp: TimestampExtractor = (record, partitionTime) => {
  if (record.timestamp >= 0) return record.timestamp;
  if (partitionTime >= 0) return partitionTime;
  throw new StreamsException(
    `Could not infer new timestamp for input record {topic=${record.topic}, partition=${record.partition}, offset=${record.offset}} because partition time is unknown.`,
  );
};

/** The time at which the record is processed. Kafka Streams: `WallclockTimestampExtractor`. */
export const wallclockTimestamp: TimestampExtractor = () => systemClock.now();

/** The extractors that a configuration can name (`default.timestamp.extractor`). */
export const NAMED_EXTRACTORS: Readonly<Record<string, TimestampExtractor>> = {
  "fail-on-invalid": failOnInvalidTimestamp,
  "log-and-skip-on-invalid": logAndSkipOnInvalidTimestamp,
  "use-partition-time-on-invalid": usePartitionTimeOnInvalidTimestamp,
  "wallclock": wallclockTimestamp,
};
