/**
 * Runs one pipeline on a broker and prints one JSON line with the Java peer's fields (bench/peer/README.md):
 *
 *     deno run -A bench/broker.ts --topology agg --topic orders --bootstrap 127.0.0.1:9092 --guarantee exactly_once_v2 --commit 1000 \
 *                                 --threads 1 --cache 10485760 --records 1000000
 *
 * `--bootstrap embedded` runs on the embedded broker, in this process, with generated orders; its processor time and memory count then, too.
 * `--set name=value,name=value` sets anything else of the configuration.
 * Measured from the first processed record until the committed offsets cover all records. `--verify true` counts the output.
 * As `weir run`, it starts with the engine's own settings of V8's heap unless others are given.
 *
 * @module
 */
import process from "node:process";
import { startWithHeapFlags } from "../lib/cli/heap_flags.ts";

startWithHeapFlags();
const { runPipeline } = await import("./broker_run.ts");
await runPipeline(process.argv.slice(2));
