/**
 * How a log line looks on a terminal, and what must not stand in it.
 *
 * @module
 */

const COLORS: Readonly<Record<string, string>> = {
  trace: "90",
  debug: "36",
  info: "32",
  warn: "33",
  error: "31",
  fatal: "35",
};
/** What stands in the head of a line, and is not repeated behind the message. */
const HEAD: ReadonlySet<string> = new Set([
  "time",
  "level",
  "msg",
  "thread_id",
  "task_id",
  "logger",
  "err",
]);

/** One JSON line as a line for people: time, level, thread, task, message, facts, then the error's stack. */
export function prettyLine(json: string, colored: boolean): string {
  const line = JSON.parse(json) as Record<string, unknown>;
  const level = String(line.level);
  const paint = (code: string, text: string) => colored ? `\u001b[${code}m${text}\u001b[0m` : text;
  const parts = [
    paint("90", String(line.time).slice(11, 23)),
    paint(COLORS[level] ?? "0", level.toUpperCase().padEnd(5)),
  ];
  if (line.thread_id !== undefined) parts.push(paint("90", String(line.thread_id)));
  if (line.task_id !== undefined) parts.push(paint("90", `[${line.task_id}]`));
  parts.push(String(line.msg));
  for (const [key, value] of Object.entries(line)) {
    if (HEAD.has(key)) continue;
    parts.push(paint("90", `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`));
  }
  const error = line.err as { stack?: string; message?: string } | undefined;
  const trace = error === undefined ? "" : `\n${error.stack ?? error.message}`;
  return `${parts.join(" ")}${trace}\n`;
}

const SECRET_NAME = /pass(word|phrase)|secret|token|jaas|user[._]?info|authorization|credential/i;

/** Facts without the values of fields that are named like secrets, at any depth. */
export function withoutSecrets(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(facts)) {
    clean[key] = SECRET_NAME.test(key)
      ? "[hidden]"
      : isPlain(value)
      ? withoutSecrets(value)
      : value;
  }
  return clean;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}

/** Takes known secrets out of a finished line, whatever field or message they got into. */
export function scrubber(secrets: readonly string[]): (line: string) => string {
  // A secret of two letters would blacken half of every line, and guards nothing.
  const worth = secrets.filter((secret) => secret.length >= 4);
  const spellings = [...new Set(worth.flatMap((s) => [s, JSON.stringify(s).slice(1, -1)]))];
  if (spellings.length === 0) return (line) => line;
  spellings.sort((a, b) => b.length - a.length);
  return (line) => spellings.reduce((text, secret) => text.replaceAll(secret, "[hidden]"), line);
}
