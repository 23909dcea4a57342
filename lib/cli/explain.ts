import type { StreamsConfig } from "../config.ts";

/** The configuration as a table of name, value and origin, or as JSON; secrets are hidden. */
export function explainSettings(
  config: StreamsConfig,
  options: { readonly format: "text" | "json"; readonly all: boolean },
): string {
  const settings = config.explain()
    .filter(({ origin }) => options.all || origin !== "default");
  if (options.format === "json") return `${JSON.stringify(settings, null, 2)}\n`;
  const width = Math.max(0, ...settings.map(({ key }) => key.length));
  const valueWidth = Math.min(60, Math.max(0, ...settings.map(({ value }) => value.length)));
  return settings.map(({ key, value, origin }) =>
    `${key.padEnd(width)}  ${value.padEnd(valueWidth)}  ${origin}\n`
  ).join("");
}
