// The addon and librdkafka under AddressSanitizer: the contract suite against both brokers and the fault suite, on Node, whose process takes
// the sanitizer's library preloaded. Needs node, bun (which bundles the suites) and gcc's libasan; building librdkafka
// once with the sanitizer takes some minutes. `WEIR_SKIP_ASAN=1` leaves it out; on Bun it is, as it is the same there.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { nativeAddonPath } from "../../lib/kafka/native/build.ts";
import { sharedKafkaBroker } from "../support/kafka_broker.ts";
import { bunPath, repositoryRoot, run } from "../support/spawn.ts";
import { withTempDir } from "../support/temp_dir.ts";

const SUITES = ["embedded_contract_test", "embedded_faults_test", "real_contract_test"];
const WORKERS = ["reader_worker", "flushing_worker"];

test(
  "the addon frees what it takes and touches nothing else, under AddressSanitizer",
  {
    skip: process.env.WEIR_SKIP_ASAN === "1" || process.platform !== "linux" || "Bun" in globalThis,
  },
  () =>
    withTempDir(async (dir) => {
      const addon = await nativeAddonPath({ sanitize: true });
      const library = (await run("cc", ["-print-file-name=libasan.so"])).stdout.trim();
      await bundle(dir);
      const { bootstrapServers } = await sharedKafkaBroker();
      for (const suite of SUITES) {
        const stdout = await runSanitized(join(dir, `${suite}.mjs`), dir, {
          WEIR_NATIVE_PATH: addon,
          LD_PRELOAD: library,
          WEIR_TEST_BOOTSTRAP: bootstrapServers,
        });
        const reports = readdirSync(dir).filter((name) => name.startsWith("report."));
        const found = reports.flatMap((name) => complaints(readFileSync(join(dir, name), "utf8")));
        assertEquals(found, []);
        assert(/^# fail 0$/m.test(stdout), stdout.slice(-4_000));
      }
    }),
);

async function bundle(dir: string): Promise<void> {
  const entries = [...SUITES, ...WORKERS].map((name) => `tests/kafka/${name}.ts`);
  const naming = ["--target", "node", "--outdir", dir, "--entry-naming", "[name].mjs"];
  await run(bunPath(), ["build", ...entries, ...naming], { cwd: repositoryRoot });
  for (const suite of SUITES) {
    const file = join(dir, `${suite}.mjs`);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replaceAll("_worker.ts", "_worker.mjs"));
  }
}

async function runSanitized(
  suite: string,
  dir: string,
  env: Record<string, string>,
): Promise<string> {
  const ASAN_OPTIONS = `log_path=${join(dir, "report")}:exitcode=0`;
  return (await run("node", [suite], { env: { ...env, ASAN_OPTIONS } })).stdout;
}

/** The errors, and the leaks of what was allocated by the addon or librdkafka rather than by Node's own side of Node-API. */
function complaints(report: string): string[] {
  return report.split(/\n\n+/).filter((block) => {
    if (block.includes("ERROR: AddressSanitizer")) return true;
    if (!/(Direct|Indirect) leak of/.test(block)) return false;
    return /weir\.node|\/lib\/kafka\/native\/|librdkafka/.test(block) &&
      !/#1 .* in (napi_|v8impl)/.test(block);
  });
}
