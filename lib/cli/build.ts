/**
 * `deno task build`: makes `dist/weir`, the engine with everything it needs in one executable. Bun compiles it, as `deno compile` would
 * have to download a runtime.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { systemClock } from "../record/time.ts";
import { nativeAddonPath } from "../kafka/native/build.ts";
import type { BundleOrder } from "./bundle.ts";
import type { NativeFiles } from "./native_files.ts";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");

/** Builds the binary and gives its path. */
export async function buildBinary(outfile = join(root, "dist", "weir")): Promise<string> {
  const stage = join(dirname(outfile), ".stage");
  mkdirSync(stage, { recursive: true });
  try {
    const native: NativeFiles = {
      addon: staged(stage, "addon", await nativeAddonPath()),
      lmdb: staged(stage, "lmdb", lmdbAddon()),
    };
    const order: BundleOrder = {
      entryPoints: ["binary.ts", "binary_worker.ts"].map((name) => join(here, name)),
      outfile,
      native,
    };
    const { status } = spawnSync(findBun(), [join(here, "bundle.ts"), JSON.stringify(order)], {
      cwd: root,
      stdio: ["ignore", 2, 2],
    });
    if (status !== 0) {
      throw new Error(`Cannot build the binary as Bun failed: current value is status ${status}`);
    }
    return outfile;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** A copy under a neutral ending, with its hash. */
function staged(stage: string, name: string, from: string): { path: string; hash: string } {
  const path = join(stage, `${name}.bin`);
  copyFileSync(from, path);
  return { path, hash: createHash("sha256").update(readFileSync(path)).digest("hex") };
}

/** The folder of a package that another one depends on, in whichever way `node_modules` is laid out. */
function dependencyOf(owner: string, name: string): string | undefined {
  try {
    const ownerFile = realpathSync(
      createRequire(join(root, "package.json")).resolve(`${owner}/package.json`),
    );
    return dirname(createRequire(ownerFile).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function isMusl(): boolean {
  return existsSync("/etc/alpine-release");
}

function lmdbAddon(): string {
  const name = `@lmdb/lmdb-${process.platform}-${process.arch}`;
  // LMDB's package.json is not among its exports, so its folder is found by its main file.
  const main = realpathSync(createRequire(join(root, "package.json")).resolve("lmdb"));
  const require = createRequire(main);
  const folder = dirname(require.resolve(`${name}/package.json`));
  const wanted = isMusl() ? "node.napi.musl.node" : "node.napi.glibc.node";
  const file = [wanted, "node.napi.node"].map((each) => join(folder, each)).find(existsSync);
  if (file === undefined) {
    throw new Error(`Cannot find LMDB's native part: current value is ${folder}`);
  }
  return file;
}

/** Bun's executable: from its platform package, as its install script, which would put it in place, is not run everywhere. */
function findBun(): string {
  const platform = `@oven/bun-${process.platform}-${process.arch === "arm64" ? "aarch64" : "x64"}`;
  const names = isMusl() ? [`${platform}-musl`] : [platform, `${platform}-baseline`];
  const candidates = names.flatMap((name) => {
    const folder = dependencyOf("bun", name) ?? besideDeno(name);
    return folder === undefined ? [] : [join(folder, "bin", "bun")];
  });
  candidates.push(join(root, "node_modules", ".bin", "bun"), "bun");
  const works = candidates.find((path) => spawnSync(path, ["--version"]).status === 0);
  if (works === undefined) {
    throw new Error(
      `Cannot build the binary as Bun is needed: current value is none of ${candidates.join(", ")}`,
    );
  }
  return works;
}

/** Where Deno puts the packages of `node_modules`. */
function besideDeno(name: string): string | undefined {
  const store = join(root, "node_modules", ".deno");
  if (!existsSync(store)) return undefined;
  const folder = readdirSync(store).find((each) => each.startsWith(`${name.replace("/", "+")}@`));
  return folder === undefined ? undefined : join(store, folder, "node_modules", name);
}

if (import.meta.main) {
  const started = systemClock.monotonic();
  const path = await buildBinary(process.argv[2] && resolve(process.argv[2]));
  const seconds = ((systemClock.monotonic() - started) / 1000).toFixed(1);
  console.error(`${path}, ${Math.round(statSync(path).size / 2 ** 20)} MiB, in ${seconds} s`);
}
