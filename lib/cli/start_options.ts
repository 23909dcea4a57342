import { parseArgs } from "node:util";
import { ConfigException } from "../errors.ts";

/** What can be chosen of `deno task start`. */
export interface StartOptions {
  /** How many orders; undefined goes on until it is stopped. */
  readonly records: number | undefined;
  readonly seed: number;
  readonly threads: number;
  /** Orders per second when it goes on until it is stopped. */
  readonly rate: number;
  /** 0 takes a free one. */
  readonly adminPort: number;
}

/** Reads the flags; a literal `--`, which some runners pass on, means nothing. @throws {ConfigException} when one is wrong */
export function startOptions(args: readonly string[]): StartOptions {
  const values = parse(args.filter((arg) => arg !== "--"));
  return {
    records: values.records === undefined ? undefined : wholeNumber("--records", values.records, 1),
    seed: wholeNumber("--seed", values.seed ?? "1", 0),
    threads: wholeNumber("--threads", values.threads ?? "1", 1),
    rate: wholeNumber("--rate", values.rate ?? "1000", 1),
    adminPort: wholeNumber("--admin-port", values["admin-port"] ?? "0", 0),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        "records": { type: "string", short: "n" },
        "seed": { type: "string" },
        "threads": { type: "string" },
        "rate": { type: "string" },
        "admin-port": { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new ConfigException([{
      key: "deno task start",
      given: args.join(" "),
      rule: (error as Error).message,
    }]);
  }
}

function wholeNumber(key: string, given: string, min: number): number {
  const value = Number(given);
  if (!Number.isSafeInteger(value) || value < min) {
    throw new ConfigException([{ key, given, rule: `must be a whole number of at least ${min}` }]);
  }
  return value;
}
