/**
 * The command line: `weir run`, `weir topology` and the rest; `weir --help` lists them.
 *
 * @module
 */
import process from "node:process";
import { startWithHeapFlags } from "./lib/cli/heap_flags.ts";

if (import.meta.main) {
  const args = process.argv.slice(2);
  // Before everything else is loaded: it would be loaded twice.
  if (args[0] === "run") startWithHeapFlags();
  const { main } = await import("./lib/cli/program.ts");
  const code = await main(args);
  // Clients that are still closing must not keep a process that is done.
  process.exit(code);
}
