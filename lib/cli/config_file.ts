import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { parse as parseYaml } from "yaml";
import { type ConfigSource, sourceOf } from "../config.ts";
import { ConfigException } from "../errors.ts";

/**
 * The settings of a file: YAML, JSON or Java properties, by its ending. Maps within maps are names with dots, so `admin: { port: 0 }` is `admin.port`.
 *
 * @throws {ConfigException} when the file cannot be read or is no such file
 */
export function configFile(path: string): ConfigSource {
  const ending = extname(path).toLowerCase();
  try {
    const text = readFileSync(path, "utf8");
    if (ending === ".properties") return sourceOf(path, parseProperties(text));
    // JSON is YAML, but JSON.parse names the place of a fault.
    const parsed: unknown = ending === ".json" ? JSON.parse(text) : parseYaml(text);
    return sourceOf(path, flatten(parsed));
  } catch (error) {
    throw new ConfigException([{
      key: "--config",
      given: path,
      rule: `must name a YAML, JSON or properties file of settings (${
        (error as Error).message.split("\n")[0]
      })`,
    }]);
  }
}

function flatten(
  given: unknown,
  prefix = "",
  into: Record<string, unknown> = {},
): Record<string, unknown> {
  if (given === null || given === undefined) return into;
  if (typeof given !== "object" || Array.isArray(given)) {
    throw new TypeError("it holds no map of settings");
  }
  for (const [key, value] of Object.entries(given)) {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      flatten(value, `${prefix}${key}.`, into);
    } else {
      into[prefix + key] = value;
    }
  }
  return into;
}

/** Java's format: `key=value` or `key: value`, `#` and `!` comments, lines that end in a backslash go on. */
export function parseProperties(text: string): Record<string, string> {
  const settings: Record<string, string> = {};
  const lines = text.replaceAll(/\\\r?\n[ \t]*/g, "").split(/\r?\n/);
  for (const line of lines) {
    const trimmed = line.trimStart();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith("!")) continue;
    const match = /^((?:\\.|[^\\=:\s])+)\s*[=:\s]\s*(.*)$/s.exec(trimmed);
    if (match === null) throw new TypeError(`it has a line without a value: ${trimmed}`);
    settings[unescaped(match[1])] = unescaped(match[2]);
  }
  return settings;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", f: "\f" };

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|(.))/gs,
    (_, hex: string | undefined, char: string) =>
      hex === undefined ? ESCAPES[char] ?? char : String.fromCharCode(parseInt(hex, 16)),
  );
}
