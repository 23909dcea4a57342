import { StreamsException } from "../errors.ts";
import type { RecordCollector } from "./record_collector.ts";

/** A collector for tasks that may write nothing: global stores. @param who for the message */
export function readOnlyCollector(who: string): RecordCollector {
  const refuse = (topic: string): never => {
    throw new StreamsException(
      `Cannot write from ${who} as it has no producer: current value is topic ${topic}`,
    );
  };
  return {
    destination: (topic) => ({
      topic,
      index: 0,
      keySite: Object.freeze({ topic, isKey: true }),
      valueSite: Object.freeze({ topic, isKey: false }),
    }),
    partitionCount: ({ topic }) => refuse(topic),
    send: ({ topic }) => refuse(topic),
    log: ({ topic }) => refuse(topic),
    deadLetter: ({ topic }) => refuse(topic),
  };
}
