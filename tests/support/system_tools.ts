/** Programs of the system that tests need: installed by apt-get where that is allowed, named in the error where it is not. @module */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { cacheDir } from "./maven.ts";
import { run } from "./spawn.ts";
import { withTempDir } from "./temp_dir.ts";

/** The Debian package of each program. */
const PACKAGES = { promtool: "prometheus", chromium: "chromium" } as const;

/** Another test file may be installing something at the same time. */
const APT = ["-o", "DPkg::Lock::Timeout=300", "-qq"];
const ENV = { DEBIAN_FRONTEND: "noninteractive" };

/**
 * Makes sure that a program is there; as root on Debian gets it. Gives its path.
 * @throws {Error} when it is not there and cannot be got
 */
export async function requireTool(name: keyof typeof PACKAGES): Promise<string> {
  const kept = cacheDir("tools", name);
  const found = pathOf(name) ?? (existsSync(kept) ? kept : undefined);
  if (found !== undefined) return found;
  const debian = PACKAGES[name];
  if (process.getuid?.() !== 0 || pathOf("apt-get") === undefined) {
    throw new Error(
      `Cannot run this test as ${name} must be installed: on Debian, apt-get install ${debian}`,
    );
  }
  console.log(`Installing ${name} (${debian})`);
  await run("apt-get", ["update", ...APT], { env: ENV });
  if (name === "promtool") return await unpack(debian, "usr/bin/promtool", kept);
  await run("apt-get", ["install", "-y", "--no-install-recommends", ...APT, debian], { env: ENV });
  const installed = pathOf(name);
  if (installed === undefined) throw new Error(`The package ${debian} has not brought ${name}`);
  return installed;
}

/** Takes one file out of a package. The package itself would start a server that listens on all addresses. */
function unpack(debian: string, file: string, to: string): Promise<string> {
  return withTempDir(async (dir) => {
    await run("apt-get", ["download", ...APT, debian], { cwd: dir, env: ENV });
    const archive = readdirSync(dir).find((name) => name.endsWith(".deb"));
    if (archive === undefined) throw new Error(`apt-get download has brought no ${debian}`);
    await run("dpkg-deb", ["--extract", join(dir, archive), join(dir, "contents")]);
    mkdirSync(dirname(to), { recursive: true });
    const partial = `${to}.${process.pid}`;
    copyFileSync(join(dir, "contents", file), partial);
    renameSync(partial, to);
    return to;
  });
}

function pathOf(name: string): string | undefined {
  return (process.env.PATH ?? "").split(delimiter).map((dir) => join(dir, name)).find(existsSync);
}
