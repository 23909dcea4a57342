/**
 * Where the binary begins.
 *
 * @module
 */
import "./binary_parts.ts";
import process from "node:process";
import { useWorkerEntry } from "../streams.ts";
import { main } from "./program.ts";

// Entry points lie side by side in the binary, whatever their folders were.
useWorkerEntry(new URL("./binary_worker.js", import.meta.url));
process.exit(await main(process.argv.slice(2)));
