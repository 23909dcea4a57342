/**
 * Builds the Kafka addon and keeps it in a cache: librdkafka from the C source in `@confluentinc/kafka-javascript`
 * (copied, with `librdkafka.patch`), then the C files of this folder. Run by `deno task native`, and by the first
 * client that finds no addon. Everything is keyed by content, so a start with a warm cache only hashes a few files.
 *
 * @module
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { withBuildLock } from "./build_lock.ts";
import { applyPatch } from "./source_patch.ts";
import { ensurePackages, extraFlags, hasStatic } from "./system_packages.ts";

/** How to build. */
export interface BuildOptions {
  /** Instruments the addon with AddressSanitizer, for the test that runs it so. */
  readonly sanitize?: boolean;
  /** Where progress goes; standard error by default. */
  readonly report?: (line: string) => void;
}

const CONFIGURE = ["--disable-gssapi", "--disable-curl", "--disable-sasl", "--disable-lz4-ext"];
const COMPILE = ["-std=gnu11", "-O2", "-g", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"];

const SANITIZE = ["-fsanitize=address", "-fno-omit-frame-pointer"];

let given: string | undefined;

/** Names the addon's file from now on: a compiled binary carries its own. */
export function useNativeAddon(path: string): void {
  given = path;
}

/**
 * The addon's file: the one given (`useNativeAddon`, or the environment's `WEIR_NATIVE_PATH`), or the cached one, or a new one.
 * @throws {Error} when it has to be built and cannot be.
 */
export async function nativeAddonPath(options: BuildOptions = {}): Promise<string> {
  return (options.sanitize ? undefined : givenPath()) ?? await build(options);
}

/** Set in the process that builds, so that it never starts another one. */
const BUILDING = "WEIR_NATIVE_BUILDING";

/**
 * As `nativeAddonPath`, for callers that cannot wait: a build runs in a process of its own.
 * @throws {Error} when it has to be built and cannot be; in a compiled executable it cannot
 */
export function nativeAddonPathSync(): string {
  const given = givenPath();
  if (given !== undefined && existsSync(given)) return given;
  refuseWhereNoneIsBuilt(given);
  const path = cachedPath({});
  if (existsSync(path)) return path;
  const self = fileURLToPath(import.meta.url);
  const args = "Deno" in globalThis ? ["run", "-A", self] : [self];
  const env = { ...process.env, [BUILDING]: "1" };
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", 2, 2], env });
  if (status !== 0 || !existsSync(path)) {
    throw new Error(
      `Cannot load the Kafka addon as it could not be built: current value is exit status ${status}. ` +
        "Run `deno task native` to see why, or name a built one in WEIR_NATIVE_PATH",
    );
  }
  return path;
}

/** A compiled executable has no sources, and what it would start to build is itself, again and again. */
function refuseWhereNoneIsBuilt(given: string | undefined): void {
  const cause = given !== undefined
    ? `the file that was named does not exist: current value is ${given}`
    : isCompiled()
    ? `a compiled executable cannot build it: current value is ${process.execPath}`
    : process.env[BUILDING]
    ? `it is being built by the process that started this one: current value is ${process.execPath}`
    : undefined;
  if (cause === undefined) return;
  throw new Error(
    `Cannot load the Kafka addon as ${cause}. Build it with \`deno task native\` and name it in WEIR_NATIVE_PATH`,
  );
}

/** Whether this code lies within an executable that Bun or Deno has compiled. */
function isCompiled(): boolean {
  if (/^file:\/\/\/(\$bunfs|[A-Z]:\/~BUN)\//.test(import.meta.url)) return true;
  const runtime = globalThis as { Deno?: { build: { standalone?: boolean } } };
  return runtime.Deno?.build.standalone === true;
}

function givenPath(): string | undefined {
  return given ?? (process.env.WEIR_NATIVE_PATH || undefined);
}

function cacheRoot(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "weir");
}

const here = dirname(fileURLToPath(import.meta.url));

function sources(ending: string): string[] {
  return readdirSync(here).filter((name) => name.endsWith(ending)).sort();
}

/** The package's folder, whether npm, Bun or Deno laid out `node_modules`. */
function packageFolder(name: string): string {
  const require = createRequire(import.meta.url);
  return realpathSync(dirname(require.resolve(`${name}/package.json`)));
}

function versionOf(folder: string): string {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}

function hashOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}

function libc(): string {
  if (process.platform !== "linux") return "";
  return existsSync("/etc/alpine-release") || existsSync(`/lib/ld-musl-${muslArch()}.so.1`) &&
      !existsSync("/lib/x86_64-linux-gnu") && !existsSync("/lib/aarch64-linux-gnu")
    ? "-musl"
    : "";
}

function muslArch(): string {
  return process.arch === "arm64" ? "aarch64" : "x86_64";
}

/** Where librdkafka of this version, patch and platform is built. */
function libraryFolder(options: BuildOptions): string {
  const patch = readFileSync(join(here, "librdkafka.patch"));
  const kind = options.sanitize ? "-sanitized" : "";
  const key = hashOf([
    versionOf(packageFolder("@confluentinc/kafka-javascript")),
    patch,
    ...CONFIGURE,
  ]);
  return join(cacheRoot(), `librdkafka-${process.platform}${libc()}-${process.arch}${kind}-${key}`);
}

function cachedPath(options: BuildOptions): string {
  const files = [...sources(".c"), ...sources(".h")].map((name) => readFileSync(join(here, name)));
  const headers = versionOf(packageFolder("node-api-headers"));
  const key = hashOf([
    libraryFolder(options),
    headers,
    ...COMPILE,
    String(options.sanitize),
    ...files,
  ]);
  return join(cacheRoot(), `addon-${key}`, "weir.node");
}

async function build(options: BuildOptions): Promise<string> {
  const report = options.report ?? ((line: string) => void process.stderr.write(`weir: ${line}\n`));
  const path = cachedPath(options);
  if (existsSync(path)) return path;
  mkdirSync(cacheRoot(), { recursive: true });
  await withBuildLock(join(cacheRoot(), "build.lock"), report, async () => {
    if (existsSync(path)) return;
    ensurePackages(report);
    const library = libraryFolder(options);
    if (!existsSync(library)) await buildLibrary(library, options, report);
    await link(library, path, options, report);
  });
  return path;
}

/** Copies the source, patches it, and makes `librdkafka.a`; appears under its name only when complete. */
async function buildLibrary(
  folder: string,
  options: BuildOptions,
  report: (line: string) => void,
): Promise<void> {
  const source = join(packageFolder("@confluentinc/kafka-javascript"), "deps", "librdkafka");
  const work = `${folder}.${process.pid}`;
  report("building librdkafka (once, about a minute)");
  rmSync(work, { recursive: true, force: true });
  cpSync(source, work, { recursive: true, dereference: true });
  applyPatch(work, readFileSync(join(here, "librdkafka.patch"), "utf8"));
  const flags = extraFlags();
  const only = (kind: string) => flags.filter((flag) => flag.startsWith(kind)).join(" ");
  const env: Record<string, string | undefined> = {
    ...process.env,
    CPPFLAGS: only("-I"),
    LDFLAGS: only("-L"),
  };
  if (options.sanitize) env.CFLAGS = SANITIZE.join(" ");
  await run("bash", ["./configure", ...CONFIGURE, "--enable-static"], work, { env });
  const total = readdirSync(join(work, "src")).filter((name) => name.endsWith(".c")).length;
  let done = 0;
  let told = 0;
  await run("make", [`-j${availableParallelism()}`, "-C", "src", "librdkafka.a"], work, {
    onLine(line) {
      if (!line.includes(" -c ")) return;
      const percent = Math.min(99, Math.floor(++done * 100 / total));
      if (percent >= told + 25) report(`librdkafka: ${told = percent - percent % 25} %`);
    },
  });
  keepProducts(work, folder);
}

/** What the addon is made from; the rest of the build is 100 MB that nobody asks for again. */
const PRODUCTS = ["rdkafka.h", "rdkafka_mock.h", "librdkafka.a"];

function keepProducts(work: string, folder: string): void {
  const kept = `${work}.kept`;
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(join(kept, "src"), { recursive: true });
  for (const name of PRODUCTS) renameSync(join(work, "src", name), join(kept, "src", name));
  renameSync(kept, folder);
  rmSync(work, { recursive: true, force: true });
}

async function link(
  library: string,
  path: string,
  options: BuildOptions,
  report: (line: string) => void,
): Promise<void> {
  report("compiling the Kafka addon");
  const folder = dirname(path);
  const work = `${folder}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const headers = join(packageFolder("node-api-headers"), "include");
  const darwin = process.platform === "darwin";
  const ssl = !darwin && hasStatic("libssl.a") && hasStatic("libcrypto.a")
    ? ["-l:libssl.a", "-l:libcrypto.a"]
    : ["-lssl", "-lcrypto"];
  await run("cc", [
    // The runtime exports symbols of its own OpenSSL; ours must not be bound to them.
    ...(darwin
      ? ["-bundle", "-undefined", "dynamic_lookup"]
      : ["-shared", "-Wl,--exclude-libs,ALL", "-Wl,-Bsymbolic"]),
    ...COMPILE,
    "-Werror",
    ...(options.sanitize ? SANITIZE : []),
    ...(options.sanitize || darwin ? [] : ["-Wl,--strip-debug"]),
    "-isystem",
    headers,
    "-isystem",
    join(library, "src"),
    ...sources(".c").map((name) => join(here, name)),
    join(library, "src", "librdkafka.a"),
    ...extraFlags(),
    ...ssl,
    "-lz",
    "-lzstd",
    "-lpthread",
    "-ldl",
    "-lm",
    "-o",
    join(work, "weir.node"),
  ], here);
  rmSync(folder, { recursive: true, force: true });
  renameSync(work, folder);
}

interface RunOptions {
  readonly env?: Record<string, string | undefined>;
  readonly onLine?: (line: string) => void;
}

/** Runs a command; its output is shown only when it fails. */
function run(
  command: string,
  args: string[],
  cwd: string,
  options: RunOptions = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let line = "";
    const take = (chunk: Uint8Array) => {
      const text = new TextDecoder().decode(chunk);
      output = (output + text).slice(-20_000);
      const lines = (line + text).split("\n");
      line = lines.pop()!;
      for (const each of lines) options.onLine?.(each);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) return resolve();
      reject(
        new Error(
          `Cannot build the Kafka addon as ${command} failed: current value is exit status ${status}\n${output}`,
        ),
      );
    });
  });
}

if (import.meta.main) {
  try {
    console.log(await nativeAddonPath());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
