/**
 * Where settings come from, and which one counts. A source is a list of settings with their origin; of several sources the first
 * that has a setting decides.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import type { ConfigIssue } from "../errors.ts";
import {
  CLIENT_KEYS,
  CLIENT_PREFIXES,
  clientKnows,
  JAVA_ONLY_CLIENT_KEYS,
  TOPIC_KEYS,
} from "./client_keys.ts";
import { nearestName } from "./nearest.ts";
import { HIDDEN, mayBeSecret, shown } from "./secrets.ts";
import { ALIASES, NOT_HERE, STREAMS_KEYS } from "./streams_keys.ts";

/** One setting as somebody gave it. */
export interface GivenSetting {
  readonly key: string;
  readonly value: unknown;
  /** Where it was given, for example `code`, `env STREAMS_STATE_DIR` or `weir.yaml`. */
  readonly origin: string;
}

/** Settings of one place. */
export interface ConfigSource {
  readonly settings: readonly GivenSetting[];
  /** What to do with a name that is not known: environments hold other programs' variables too. */
  readonly unknown?: "refuse" | "warn";
}

/** What a merge gathers beside its result. */
export interface Findings {
  readonly issues: ConfigIssue[];
  readonly warnings: string[];
}

/** A source of settings that all come from one place. */
export function sourceOf(origin: string, values: Readonly<Record<string, unknown>>): ConfigSource {
  return {
    settings: Object.entries(values).map(([key, value]) => ({ key, value, origin })),
  };
}

/** A known name under its final key. */
interface Resolved {
  readonly key: string;
  /** The value is the path of a file that holds it. */
  readonly fromFile: boolean;
}

/** The name under which a setting counts: aliases become what they stand for; undefined when it is not known. */
export function canonicalKey(key: string): string | undefined {
  if (Object.hasOwn(STREAMS_KEYS, key)) return key;
  if (Object.hasOwn(ALIASES, key)) return ALIASES[key];
  if (CLIENT_KEYS.has(key)) return key;
  for (const [prefix, scope] of CLIENT_PREFIXES) {
    if (key.startsWith(prefix) && clientKnows(scope, key.slice(prefix.length))) return key;
  }
  if (key.startsWith("topic.") && TOPIC_KEYS.has(key.slice("topic.".length))) return key;
  if (/^app\.\S/.test(key)) return key;
  return undefined;
}

function resolveKey(key: string): Resolved | undefined {
  const direct = canonicalKey(key);
  // `app.` takes any name, so there a `.file` is part of it.
  if (direct !== undefined) return { key: direct, fromFile: false };
  if (!key.endsWith(".file")) return undefined;
  const base = canonicalKey(key.slice(0, -".file".length));
  return base === undefined ? undefined : { key: base, fromFile: true };
}

/** Merges sources, the one that counts most first. Settings given as undefined or null are not given. */
export function mergeSources(
  sources: readonly ConfigSource[],
  findings: Findings,
): Map<string, GivenSetting> {
  const merged = new Map<string, GivenSetting>();
  for (const source of sources) {
    const ofSource = new Map<string, { spelled: string; setting: GivenSetting }>();
    for (const given of source.settings) {
      if (given.value === undefined || given.value === null) continue;
      const resolved = resolveKey(given.key);
      if (resolved === undefined) {
        reportUnknown(given, source, findings);
        continue;
      }
      const earlier = ofSource.get(resolved.key);
      if (earlier !== undefined) {
        reportTwice(resolved.key, earlier.spelled, given, findings);
        if (given.key !== resolved.key) continue;
      }
      ofSource.set(resolved.key, { spelled: given.key, setting: settingOf(resolved, given) });
    }
    for (const [key, { setting }] of ofSource) {
      if (merged.has(key)) continue;
      const read = setting.value instanceof SecretFile
        ? setting.value.read(setting, findings)
        : setting;
      if (read !== undefined) merged.set(key, read);
    }
  }
  return merged;
}

function settingOf(resolved: Resolved, given: GivenSetting): GivenSetting {
  if (!resolved.fromFile) return { ...given, key: resolved.key };
  const path = String(given.value);
  return {
    key: resolved.key,
    value: new SecretFile(given.key, path),
    origin: `${given.origin}, file ${path}`,
  };
}

/** A file that holds a value; read only when the setting counts. */
class SecretFile {
  readonly #key: string;
  readonly #path: string;
  constructor(key: string, path: string) {
    this.#key = key;
    this.#path = path;
  }
  read(setting: GivenSetting, findings: Findings): GivenSetting | undefined {
    try {
      return { ...setting, value: readFileSync(this.#path, "utf8").replace(/\r?\n$/, "") };
    } catch (error) {
      findings.issues.push({
        key: this.#key,
        given: this.#path,
        rule: `must name a file that can be read (${(error as Error).message})`,
      });
      return undefined;
    }
  }
}

function reportTwice(key: string, first: string, second: GivenSetting, findings: Findings): void {
  if (first.endsWith(".file") !== second.key.endsWith(".file")) {
    findings.issues.push({
      key,
      given: `${first} and ${second.key}`,
      rule: "must be given once, as a value or as a file",
    });
    return;
  }
  findings.warnings.push(
    `Both ${first} and ${second.key} are given (${second.origin}); ${key} is used`,
  );
}

function reportUnknown(given: GivenSetting, source: ConfigSource, findings: Findings): void {
  const reason = NOT_HERE[given.key];
  if (reason !== undefined) {
    findings.issues.push({
      key: given.key,
      given: shown(given.key, given.value),
      rule: `is a setting of Kafka Streams that Weir does not have: ${reason}`,
    });
    return;
  }
  const bare = CLIENT_PREFIXES.reduce(
    (name, [prefix]) => name.startsWith(prefix) ? name.slice(prefix.length) : name,
    given.key,
  );
  if (JAVA_ONLY_CLIENT_KEYS.has(bare)) {
    findings.issues.push({
      key: given.key,
      given: shown(given.key, given.value),
      rule: "is a setting of Kafka's Java clients that librdkafka does not have",
    });
    return;
  }
  const nearest = nearestName(given.key, knownNames(given.key));
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  if (source.unknown === "warn") {
    findings.warnings.push(`Ignored ${given.origin}: ${given.key} is not a known setting${hint}`);
    return;
  }
  findings.issues.push({
    key: given.key,
    given: mayBeSecret(given.key, nearest) ? HIDDEN : shown(given.key, given.value),
    rule: `is not a known setting${hint || " (your own settings begin with app.)"}`,
  });
}

function* knownNames(near: string): Iterable<string> {
  yield* Object.keys(STREAMS_KEYS);
  yield* Object.keys(ALIASES);
  yield* CLIENT_KEYS.keys();
  for (const [prefix, scope] of CLIENT_PREFIXES) {
    if (!near.startsWith(prefix.slice(0, 3))) continue;
    for (const key of CLIENT_KEYS.keys()) if (clientKnows(scope, key)) yield prefix + key;
  }
  for (const key of TOPIC_KEYS) yield `topic.${key}`;
}
