// Reads Prometheus' text format.

/** A series of a scrape. */
export interface ScrapedSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The metrics of a scrape, by name; a histogram's parts under their own names. */
export interface Scrape {
  readonly text: string;
  readonly types: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
  series(name: string, labels?: Readonly<Record<string, string>>): ScrapedSeries[];
  /** The values of the series with these labels, added up. */
  total(name: string, labels?: Readonly<Record<string, string>>): number;
  /** The value of the one series with these labels. */
  only(name: string, labels?: Readonly<Record<string, string>>): number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Fetches `/metrics`. */
export async function scrape(url: string): Promise<Scrape> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const all = new Map<string, ScrapedSeries[]>();
  for (const line of text.split("\n")) {
    const [, kind, name, rest] = /^# (TYPE|HELP) (\S+) (.*)$/.exec(line) ?? [];
    if (kind !== undefined) (kind === "TYPE" ? types : helps).set(name, rest);
    if (line === "" || line.startsWith("#")) continue;
    const match = LINE.exec(line);
    if (match === null) throw new Error(`No line of Prometheus' text format: ${line}`);
    const labels = Object.fromEntries(
      [...(match[2] ?? "").matchAll(LABEL)].map((m) => [m[1], m[2]]),
    );
    const value = match[3] === "+Inf" ? Infinity : Number(match[3]);
    all.set(match[1], [...all.get(match[1]) ?? [], { labels, value }]);
  }
  const series: Scrape["series"] = (name, labels = {}) =>
    (all.get(name) ?? []).filter((each) =>
      Object.entries(labels).every(([key, value]) => each.labels[key] === value)
    );
  return {
    text,
    types,
    helps,
    series,
    total: (name, labels) => series(name, labels).reduce((sum, { value }) => sum + value, 0),
    only(name, labels) {
      const found = series(name, labels);
      if (found.length !== 1) throw new Error(`${found.length} series of ${name}`);
      return found[0].value;
    },
  };
}
