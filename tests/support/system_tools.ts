/** Programs of the system that tests need: installed by apt-get where that is allowed, named in the error where it is not. @module */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { run } from "./spawn.ts";

/** The Debian package of each program. */
const PACKAGES = { promtool: "prometheus", chromium: "chromium" } as const;

/**
 * Makes sure that a program is there; as root on Debian installs it. Gives its path.
 * @throws {Error} when it is not there and cannot be installed
 */
export async function requireTool(name: keyof typeof PACKAGES): Promise<string> {
  const found = pathOf(name);
  if (found !== undefined) return found;
  const tool = PACKAGES[name];
  if (process.getuid?.() !== 0 || pathOf("apt-get") === undefined) {
    throw new Error(
      `Cannot run this test as ${name} must be installed: on Debian, apt-get install ${tool}`,
    );
  }
  console.log(`Installing ${name} (${tool})`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // Another test file may be installing something at the same time.
  const patient = ["-o", "DPkg::Lock::Timeout=300", "-qq"];
  await run("apt-get", ["update", ...patient], { env });
  await run("apt-get", ["install", "-y", "--no-install-recommends", ...patient, tool], { env });
  const installed = pathOf(name);
  if (installed === undefined) throw new Error(`The package ${tool} has not brought ${name}`);
  return installed;
}

function pathOf(name: string): string | undefined {
  return (process.env.PATH ?? "").split(delimiter).map((dir) => join(dir, name)).find(existsSync);
}
