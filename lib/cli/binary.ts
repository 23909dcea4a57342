/**
 * Where the binary begins.
 *
 * @module
 */
import "./binary_parts.ts";
import process from "node:process";
import { main } from "./program.ts";

process.exit(await main(process.argv.slice(2)));
