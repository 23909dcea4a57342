import { readFileSync } from "node:fs";
import { ConfigException } from "../errors.ts";
import type { Admin, Consumer, PartitionOffset, TopicPartition } from "../kafka/client.ts";

/** Where the input offsets go; one of them at most. Kafka: `StreamsResetter`'s flags. */
export interface OffsetTarget {
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toOffset?: number;
  readonly toDatetime?: string;
  readonly byDuration?: string;
  readonly shiftBy?: number;
  readonly fromFile?: string;
}

/** What the calculation asks. */
export interface OffsetTools {
  readonly admin: Admin;
  readonly consumer: Consumer;
  readonly group: string;
  readonly nowMs: number;
  readonly timeoutMs: number;
}

const FLAGS: Readonly<Record<keyof OffsetTarget, string>> = {
  toEarliest: "--to-earliest",
  toLatest: "--to-latest",
  toOffset: "--to-offset",
  toDatetime: "--to-datetime",
  byDuration: "--by-duration",
  shiftBy: "--shift-by",
  fromFile: "--from-file",
};

/** @throws {ConfigException} when more than one target is given, or one is not what it must be */
export function checkTarget(target: OffsetTarget): void {
  const given = (Object.keys(FLAGS) as (keyof OffsetTarget)[])
    .filter((name) => target[name] !== undefined && target[name] !== false);
  if (given.length > 1) {
    fault(given.map((name) => FLAGS[name]).join(" "), "together", "only one of them may be given");
  }
  for (const name of ["toOffset", "shiftBy"] as const) {
    const value = target[name];
    if (value !== undefined && !Number.isSafeInteger(value)) {
      fault(FLAGS[name], String(value), "must be a whole number");
    }
  }
  if (target.toDatetime !== undefined) parseDatetime(target.toDatetime);
  if (target.byDuration !== undefined) parseDuration(target.byDuration);
}

/** The offset that each partition gets: between its beginning and its end, as Kafka's tool does. */
export async function targetOffsets(
  target: OffsetTarget,
  partitions: readonly TopicPartition[],
  tools: OffsetTools,
): Promise<PartitionOffset[]> {
  const { admin, timeoutMs } = tools;
  const begins = byPartition(await admin.listOffsets(partitions, "earliest", timeoutMs));
  const ends = byPartition(await admin.listOffsets(partitions, "latest", timeoutMs));
  const wanted = await wantedOffsets(target, partitions, { begins, ends }, tools);
  return partitions.map(({ topic, partition }) => {
    const key = keyOf({ topic, partition });
    const begin = begins.get(key) ?? 0;
    const end = ends.get(key) ?? 0;
    const offset = wanted.get(key) ?? begin;
    return { topic, partition, offset: Math.min(Math.max(offset, begin), end) };
  });
}

interface Bounds {
  readonly begins: ReadonlyMap<string, number>;
  readonly ends: ReadonlyMap<string, number>;
}

async function wantedOffsets(
  target: OffsetTarget,
  partitions: readonly TopicPartition[],
  { begins, ends }: Bounds,
  tools: OffsetTools,
): Promise<ReadonlyMap<string, number>> {
  if (target.toLatest) return ends;
  if (target.toOffset !== undefined) {
    return new Map(partitions.map((p) => [keyOf(p), target.toOffset!]));
  }
  if (target.shiftBy !== undefined) {
    const committed = await tools.admin.groupOffsets(tools.group, tools.timeoutMs);
    const positions = byPartition(committed.filter((each) => each.offset >= 0));
    return new Map(partitions.map((p) => {
      const from = positions.get(keyOf(p)) ?? begins.get(keyOf(p)) ?? 0;
      return [keyOf(p), from + target.shiftBy!];
    }));
  }
  const timestamp = target.toDatetime !== undefined
    ? parseDatetime(target.toDatetime)
    : target.byDuration !== undefined
    ? tools.nowMs - parseDuration(target.byDuration)
    : undefined;
  if (timestamp !== undefined) {
    const found = await tools.consumer.offsetsForTimes(
      partitions.map((p) => ({ ...p, timestamp })),
      tools.timeoutMs,
    );
    // No record is as young as that: the end, so that only what comes later is read.
    return new Map(found.map((p) => [keyOf(p), p.offset < 0 ? ends.get(keyOf(p)) ?? 0 : p.offset]));
  }
  if (target.fromFile !== undefined) return byPartition(readResetFile(target.fromFile));
  return begins;
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function byPartition(offsets: readonly PartitionOffset[]): Map<string, number> {
  return new Map(offsets.map((each) => [keyOf(each), each.offset]));
}

/** `topic,partition,offset` lines, as kafka-consumer-groups.sh exports them; quotes around a topic are allowed. */
export function readResetFile(path: string): PartitionOffset[] {
  const lines = readFileSync(path, "utf8").split(/\r?\n/).filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const match = /^\s*"?([a-zA-Z0-9._-]+)"?\s*,\s*(\d+)\s*,\s*(\d+)\s*$/.exec(line);
    if (match === null) return fault("--from-file", line, "lines must be topic,partition,offset");
    return { topic: match[1], partition: Number(match[2]), offset: Number(match[3]) };
  });
}

/** Epoch ms of `YYYY-MM-DDTHH:mm:SS.sss` in UTC, or with an offset behind it. */
export function parseDatetime(text: string): number {
  const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  const time = match === null ? NaN : Date.parse(match[3] === undefined ? `${text}Z` : text);
  if (Number.isNaN(time)) fault("--to-datetime", text, "must be YYYY-MM-DDTHH:mm:SS.sss");
  return time;
}

/** Milliseconds of an ISO 8601 duration `PnDTnHnMnS`. */
export function parseDuration(text: string): number {
  const match = /^P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(
    text,
  );
  if (match === null) return fault("--by-duration", text, "must be PnDTnHnMnS");
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000;
}

function fault(key: string, given: string, rule: string): never {
  throw new ConfigException([{ key, given, rule }]);
}
