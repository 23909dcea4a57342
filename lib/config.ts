/**
 * The configuration of an application, by Kafka's names. It is parsed once, at the door: every fault is reported at once, unknown names are refused
 * with the nearest known one, and secrets are never shown.
 *
 * @module
 */
import { ConfigException } from "./errors.ts";
import {
  type ClientKind,
  type ClientSettings,
  clientSettings,
  overruled,
} from "./config/client_maps.ts";
import { checkTogether } from "./config/cross_rules.ts";
import { scalar } from "./config/kinds.ts";
import { secretTexts, shown } from "./config/secrets.ts";
import {
  type ConfigSource,
  type Findings,
  type GivenSetting,
  mergeSources,
  sourceOf,
} from "./config/sources.ts";
import { STREAMS_KEYS, type StreamsKey, type StreamsKeyName } from "./config/streams_keys.ts";

export type { ClientKind, ClientSettings } from "./config/client_maps.ts";
export { environmentSources } from "./config/environment.ts";
export { HIDDEN, isSecret } from "./config/secrets.ts";
export { type ConfigSource, type GivenSetting, sourceOf } from "./config/sources.ts";
export { STREAMS_KEYS } from "./config/streams_keys.ts";

/** `num.stream.threads` as `numStreamThreads`. */
type CamelCase<S extends string> = S extends `${infer Head}.${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;
type PublicKey = Exclude<StreamsKeyName, `__${string}`>;
type ValueOf<K extends StreamsKeyName> = (typeof STREAMS_KEYS)[K] extends
  StreamsKey<infer T, infer D> ? (undefined extends D ? T | undefined : T) : never;
/** Every setting of `STREAMS_KEYS` as a field in camel case. */
type StreamsFields = { readonly [K in PublicKey as CamelCase<K>]: ValueOf<K> };

/** A setting as `config explain` shows it; secrets are hidden. */
export interface ExplainedSetting {
  readonly key: string;
  readonly value: string;
  /** Where it was given, or `default`. */
  readonly origin: string;
  readonly about: string | undefined;
}

/** A checked configuration. Frozen; printing it, or turning it into JSON, shows no secret. Kafka Streams: `StreamsConfig`. */
export interface StreamsConfig extends StreamsFields {
  /** Whether `processing.guarantee` is `exactly_once_v2`. */
  readonly exactlyOnce: boolean;
  /** Settings for the internal topics, from `topic.<name>`. */
  readonly topicConfig: Readonly<Record<string, string>>;
  /** What was given in vain, for the log. */
  readonly warnings: readonly string[];
  /** All values by Kafka's names, defaults and secrets included: what processors see as `appConfigs()`. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The settings of one of the clients, without its ids. */
  clientConfig(kind: ClientKind): ClientSettings;
  /** All settings with their origins, sorted by name. */
  explain(): readonly ExplainedSetting[];
  /** All values by name as they may be shown. */
  redacted(): Readonly<Record<string, string>>;
  /**
   * What was given, for a Worker to parse again. Secrets are in it.
   * @throws {ConfigException} when a value is a function or an object, which cannot cross
   */
  transferable(): Readonly<Record<string, unknown>>;
  /** The secrets themselves, for the log to take out of its lines. */
  secretValues(): readonly string[];
}

/** How a configuration is parsed. */
export interface ParseOptions {
  /** Whether `bootstrap.servers` and `application.id` must be given; the test driver needs neither. */
  readonly bootstrap?: "required" | "optional";
  /** Sources that count less than the given values, the one that counts most first. */
  readonly below?: readonly ConfigSource[];
}

/**
 * Checks a configuration.
 *
 * @example
 * ```ts
 * const config = parseConfig({ "application.id": "orders", "bootstrap.servers": "localhost:9092" });
 * config.commitIntervalMs; // 30000
 * ```
 * @throws {ConfigException} with every fault
 */
export function parseConfig(
  given: Readonly<Record<string, unknown>>,
  options: ParseOptions = {},
): StreamsConfig {
  const findings: Findings = { issues: [], warnings: [] };
  const merged = mergeSources([sourceOf("code", given), ...options.below ?? []], findings);
  const values = checkEach(merged, findings);
  if (values["processing.guarantee"] === "exactly_once_v2" && !merged.has("commit.interval.ms")) {
    values["commit.interval.ms"] = 100;
  }
  if (options.bootstrap === "optional") values["application.id"] ??= "test-driver";
  else checkRequired(merged, findings);
  checkTogether(values, findings);
  if (findings.issues.length > 0) throw new ConfigException(findings.issues);
  findings.warnings.push(...overruled(merged.keys(), values));
  return freezeConfig(values, merged, findings.warnings);
}

function checkEach(
  merged: ReadonlyMap<string, GivenSetting>,
  findings: Findings,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, { default: byDefault }] of Object.entries(STREAMS_KEYS)) values[key] = byDefault;
  const client = scalar();
  for (const [key, { value }] of merged) {
    if (key.startsWith("app.")) {
      values[key] = value;
      continue;
    }
    const known = Object.hasOwn(STREAMS_KEYS, key)
      ? STREAMS_KEYS[key as StreamsKeyName] as StreamsKey<unknown>
      : undefined;
    const checked = (known?.kind ?? client).check(value);
    if (checked.ok) values[key] = checked.value;
    else findings.issues.push({ key, given: shown(key, value), rule: checked.rule });
  }
  return values;
}

function checkRequired(merged: ReadonlyMap<string, GivenSetting>, { issues }: Findings): void {
  for (const key of ["application.id", "bootstrap.servers"] as const) {
    if (merged.has(key)) continue;
    issues.push({
      key,
      given: "nothing",
      rule: `must be given: ${STREAMS_KEYS[key].kind.allowed}`,
    });
  }
}

function freezeConfig(
  values: Readonly<Record<string, unknown>>,
  merged: ReadonlyMap<string, GivenSetting>,
  warnings: readonly string[],
): StreamsConfig {
  const fields: Record<string, unknown> = {};
  const topicConfig: Record<string, string> = {};
  for (const [key, value] of Object.entries(values)) {
    if (key.startsWith("topic.")) topicConfig[key.slice("topic.".length)] = String(value);
    if (Object.hasOwn(STREAMS_KEYS, key) && !key.startsWith("__")) fields[camelCase(key)] = value;
  }
  const redacted = () =>
    Object.fromEntries(
      Object.keys(values).filter((key) => values[key] !== undefined).sort()
        .map((key) => [key, shown(key, values[key])]),
    );
  const hidden: PropertyDescriptorMap = {
    values: { value: Object.freeze({ ...values }) },
    clientConfig: { value: (kind: ClientKind) => clientSettings(kind, values) },
    explain: { value: () => explain(values, merged) },
    redacted: { value: redacted },
    transferable: { value: () => transferable(merged) },
    secretValues: { value: () => secretTexts(values) },
    toJSON: { value: redacted },
    [Symbol.for("nodejs.util.inspect.custom")]: { value: redacted },
    [Symbol.for("Deno.customInspect")]: { value: redacted },
  };
  const config = {
    ...fields,
    exactlyOnce: values["processing.guarantee"] === "exactly_once_v2",
    topicConfig: Object.freeze(topicConfig),
    warnings: Object.freeze([...warnings]),
  };
  return Object.freeze(Object.defineProperties(config, hidden)) as unknown as StreamsConfig;
}

function camelCase(key: string): string {
  return key.replaceAll(/\.([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function explain(
  values: Readonly<Record<string, unknown>>,
  merged: ReadonlyMap<string, GivenSetting>,
): readonly ExplainedSetting[] {
  return Object.keys(values).filter((key) => !key.startsWith("__") || merged.has(key)).sort()
    .map((key) => ({
      key,
      value: values[key] === undefined ? "" : shown(key, values[key]),
      origin: merged.get(key)?.origin ?? "default",
      about: Object.hasOwn(STREAMS_KEYS, key)
        ? STREAMS_KEYS[key as StreamsKeyName].about
        : undefined,
    }));
}

function transferable(merged: ReadonlyMap<string, GivenSetting>): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  const issues = [];
  for (const [key, { value }] of merged) {
    if (typeof value === "function" || (typeof value === "object" && !Array.isArray(value))) {
      issues.push({
        key,
        given: shown(key, value),
        rule:
          "must be a name or a number when num.stream.threads is more than 1, as functions cannot cross to a Worker",
      });
    } else {
      given[key] = value;
    }
  }
  if (issues.length > 0) throw new ConfigException(issues);
  return given;
}
