/** `deno run -A tests/oracle/run.ts IN_DIR OUT_DIR`: fills in what Apache Kafka Streams gives for each scenario. @module */
import { resolve } from "node:path";
import process from "node:process";
import { runOracle } from "../support/oracle.ts";

const [inDir, outDir] = process.argv.slice(2);
if (outDir === undefined) {
  console.error("usage: deno run -A tests/oracle/run.ts IN_DIR OUT_DIR");
  process.exit(2);
}
const { written, failed, log } = await runOracle(resolve(inDir), resolve(outDir));
if (log !== "") console.error(log);
console.log(`${written} written, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
