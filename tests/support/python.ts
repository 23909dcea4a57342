/** A foreign client: Python with confluent-kafka, in a virtual environment that is made once on a machine. @module */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { cacheDir, onPath } from "./maven.ts";
import { repositoryRoot, run } from "./spawn.ts";
import { removeDir } from "./temp_dir.ts";

const PACKAGES = ["confluent-kafka[avro,schemaregistry]==2.11.1"];

/** The interpreter of the environment; makes it on the first call. */
export async function pythonPath(): Promise<string> {
  const dir = cacheDir("venv", PACKAGES.join(",").replace(/[^a-z0-9.=-]+/g, "_"));
  const python = join(dir, "bin", "python");
  if (existsSync(join(dir, "ready"))) return python;
  await requirePython();
  mkdirSync(cacheDir("venv"), { recursive: true });
  // An environment knows its own path, so it cannot be made elsewhere and moved here; `ready` says that it is whole.
  removeDir(dir);
  await run("python3", ["-m", "venv", dir]);
  await run(python, ["-m", "pip", "install", "-q", "--disable-pip-version-check", ...PACKAGES]);
  mkdirSync(join(dir, "ready.part"));
  renameSync(join(dir, "ready.part"), join(dir, "ready"));
  return python;
}

/** Runs a script of `tests/support/` and gives the JSON lines that it prints. */
export async function runPython<T = unknown>(
  script: string,
  args: readonly string[] = [],
): Promise<T[]> {
  const path = join(repositoryRoot, "tests/support", script);
  const { stdout } = await run(await pythonPath(), [path, ...args]);
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as T);
}

/** A record as `read_avro.py` prints it. */
export interface PythonRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: Record<string, unknown> | null;
}

/** Reads a topic's Avro values to its end with read_committed, as a Python service would. */
export function readAvroInPython(
  bootstrapServers: string,
  registryUrl: string,
  topic: string,
): Promise<PythonRecord[]> {
  const args = ["--bootstrap", bootstrapServers, "--registry", registryUrl, "--topic", topic];
  return runPython<PythonRecord>("read_avro.py", args);
}

async function requirePython(): Promise<void> {
  const usable = onPath("python3") && await run("python3", ["-c", "import venv, ensurepip"]).then(
    () => true,
    () => false,
  );
  if (usable) return;
  if (process.getuid?.() !== 0 || !onPath("apt-get")) {
    throw new Error(
      "Cannot run tests with a foreign client as Python 3 with venv must be installed. On Debian: apt-get install python3-venv",
    );
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env });
  await run("apt-get", ["install", "-y", "-qq", "python3-venv"], { env });
}
