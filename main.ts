/**
 * The command line: `weir run`, `weir topology` and the rest; `weir --help` lists them.
 *
 * @module
 */
import process from "node:process";
import { main } from "./lib/cli/program.ts";

if (import.meta.main) {
  const code = await main(process.argv.slice(2));
  // Clients that are still closing must not keep a process that is done.
  process.exit(code);
}
