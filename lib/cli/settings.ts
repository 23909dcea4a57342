import process from "node:process";
import {
  type ConfigSource,
  environmentSources,
  parseConfig,
  type ParseOptions,
  type StreamsConfig,
} from "../config.ts";
import { ConfigException } from "../errors.ts";
import { configFile } from "./config_file.ts";

/** What the command line says of the configuration. */
export interface SettingOptions {
  /** `--config` */
  readonly config?: string | undefined;
  /** `--set key=value`, any number of times. */
  readonly set?: readonly string[] | undefined;
}

/**
 * The configuration of the command line over the environment over a file (`--config` or `STREAMS_CONFIG_FILE`) over the defaults.
 * @throws {ConfigException} with every fault
 */
export function readSettings(
  options: SettingOptions,
  parse: Pick<ParseOptions, "bootstrap"> & {
    /** Settings that count more than all others: what the program itself decides. */
    readonly decided?: Readonly<Record<string, unknown>>;
    /** Settings that count less than all others. */
    readonly defaults?: ConfigSource;
  } = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): StreamsConfig {
  const { defaults, decided = {}, ...rest } = parse;
  const file = options.config ?? env.STREAMS_CONFIG_FILE;
  const below = [
    ...environmentSources(env),
    ...(file ? [configFile(file)] : []),
    ...(defaults ? [defaults] : []),
  ];
  const flags = flagSource(options.set ?? []);
  return parseConfig(decided, { ...rest, below: [flags, ...below] });
}

function flagSource(pairs: readonly string[]): ConfigSource {
  const issues = pairs.filter((pair) => !/^[^=]+=/.test(pair))
    .map((pair) => ({ key: "--set", given: pair, rule: "must be key=value" }));
  if (issues.length > 0) throw new ConfigException(issues);
  // The last one counts, as with any flag.
  const byKey = new Map(pairs.map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
  return {
    settings: [...byKey].map(([key, value]) => ({ key, value, origin: `--set ${key}` })),
  };
}
