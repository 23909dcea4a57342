import type { SerdeSite } from "./serde.ts";

/** How a registry's subject is named. Kafka: `TopicNameStrategy`, `RecordNameStrategy`, `TopicRecordNameStrategy`. */
export type SubjectNameStrategy = "topicName" | "recordName" | "topicRecordName";

/** The strategies by name. */
export const SUBJECT_STRATEGIES: Readonly<
  Record<SubjectNameStrategy, (site: SerdeSite, recordName: string) => string>
> = {
  topicName: (site) => `${site.topic}-${site.isKey ? "key" : "value"}`,
  recordName: (_, recordName) => recordName,
  topicRecordName: (site, recordName) => `${site.topic}-${recordName}`,
};
