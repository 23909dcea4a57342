/**
 * `deno task start`: the order pipeline with generated orders, nothing else needed. Without flags it goes on until Ctrl-C and prints
 * the windows as they close; `-- --records N` processes that many orders and ends with one line of JSON.
 *
 * @module
 */
import process from "node:process";
import { runDemo } from "./demo.ts";
import { EXIT } from "./exit_codes.ts";
import { reportError } from "./program.ts";
import { startOptions } from "./start_options.ts";
import { provideWeirModule } from "./weir_module.ts";

/** Runs it and gives the exit code. */
export async function start(args: readonly string[]): Promise<number> {
  provideWeirModule();
  const print = (text: string) => void process.stdout.write(text);
  try {
    const summary = await runDemo(startOptions(args), print);
    if (summary !== undefined) print(`${JSON.stringify(summary)}\n`);
    return EXIT.ok;
  } catch (error) {
    return reportError(error, (text) => void process.stderr.write(text));
  }
}

if (import.meta.main) process.exit(await start(process.argv.slice(2)));
