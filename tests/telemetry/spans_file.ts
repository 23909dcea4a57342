// What a `tracing.module` of a test is made of: the spans of its isolate go to a file, one line of JSON each.
import { appendFileSync } from "node:fs";
import { plainSpan, registerExporter } from "../support/otel.ts";

/** Registers an SDK in this isolate; what it gives writes the spans that have not been written yet. */
export function spansInto(path: string): () => void {
  const lines: string[] = [];
  registerExporter({
    export(spans, done) {
      lines.push(...spans.map((span) => `${JSON.stringify(plainSpan(span))}\n`));
      done({ code: 0 });
    },
    shutdown: () => Promise.resolve(),
  });
  return () => appendFileSync(path, lines.splice(0).join(""));
}

/** The text of such a module. */
export function spansModule(path: string): string {
  return `import { spansInto } from ${JSON.stringify(import.meta.url)};
export const flush = spansInto(${JSON.stringify(path)});
`;
}
