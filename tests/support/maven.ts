/**
 * Jars from Maven Central and classes made from Java sources, kept in `~/.cache/weir` (`WEIR_CACHE` moves it), so that only
 * the first run on a machine waits for them.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { run } from "./spawn.ts";
import { removeDir } from "./temp_dir.ts";

/** The version of Apache Kafka that the tests stand on. */
export const KAFKA_VERSION = "4.1.0";

/** What a broker needs on its classpath, and the peer and the oracle too. */
export const KAFKA_ARTIFACTS: readonly string[] = [
  `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
  `org.apache.kafka:kafka-tools:${KAFKA_VERSION}`,
  "org.slf4j:slf4j-simple:1.7.36",
];

/** Where everything is kept that is fetched or built for tests. */
export function cacheDir(...parts: string[]): string {
  return join(process.env.WEIR_CACHE ?? join(homedir(), ".cache", "weir"), ...parts);
}

/** Makes sure that a JDK and Maven are there; as root on Debian installs them. */
export async function requireJava(): Promise<void> {
  const missing = ["javac", "mvn"].filter((name) => !onPath(name));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !onPath("apt-get")) {
    throw new Error(
      `Cannot run tests against Apache Kafka as Java 17 and Maven must be installed: missing ${
        missing.join(", ")
      }. On Debian: apt-get install default-jdk-headless maven`,
    );
  }
  console.log(`Installing ${missing.join(", ")} (default-jdk-headless, maven)`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env });
  await run("apt-get", [
    "install",
    "-y",
    "-qq",
    "--no-install-recommends",
    "default-jdk-headless",
    "maven",
  ], { env });
}

/** Fetches artifacts (`group:artifact:version`) with all that they need; gives a Java classpath. */
export async function resolveClasspath(artifacts: readonly string[]): Promise<string> {
  const pom = pomFor(artifacts);
  const dir = await once("jars", pom, async (into) => {
    await requireJava();
    writeFileSync(join(into, "pom.xml"), pom);
    await maven(
      into,
      "dependency:copy-dependencies",
      "-DincludeScope=runtime",
      "-DoutputDirectory=libs",
    );
  });
  return join(dir, "libs", "*");
}

/** Fetches one file (`group:artifact:version:type:classifier`), unpacks it when it is a `tar.gz`; gives its directory. */
export async function fetchArtifact(coordinates: string): Promise<string> {
  return await once("files", coordinates, async (into) => {
    await requireJava();
    writeFileSync(join(into, "pom.xml"), pomFor([]));
    await maven(into, "dependency:copy", `-Dartifact=${coordinates}`, "-DoutputDirectory=.");
    for (const name of readdirSync(into).filter((n) => n.endsWith(".tar.gz"))) {
      await run("tar", ["-xzf", name], { cwd: into });
      removeDir(join(into, name));
    }
  });
}

/** Compiles Java sources against a classpath; gives the classpath extended by the classes. */
export async function compileJava(sources: readonly string[], classpath: string): Promise<string> {
  const text = [classpath, ...sources.map((path) => readFileSync(path, "utf8"))].join("\0");
  const dir = await once("classes", text, async (into) => {
    await requireJava();
    await run("javac", ["-nowarn", "-Xlint:none", "-d", into, "-cp", classpath, ...sources]);
  });
  return `${dir}:${classpath}`;
}

async function maven(cwd: string, ...args: string[]): Promise<void> {
  const settings = ["-q", "-B", "-Dmaven.wagon.http.retryHandler.count=3"];
  // The first try on a new machine may be cut off half-way; Maven goes on where it stopped.
  for (let attempt = 1;; attempt++) {
    try {
      await run("mvn", [...settings, ...args], { cwd });
      return;
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

/** The directory for `key`, filled by `fill` on the first call on this machine; two at once do no harm. */
async function once(
  kind: string,
  key: string,
  fill: (dir: string) => Promise<void>,
): Promise<string> {
  const name = createHash("sha256").update(key).digest("hex").slice(0, 16);
  const dir = cacheDir(kind, name);
  if (existsSync(dir)) return dir;
  const draft = `${dir}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  mkdirSync(draft, { recursive: true });
  try {
    await fill(draft);
    if (!existsSync(dir)) renameSync(draft, dir);
  } catch (error) {
    // Somebody else was faster: theirs is as good.
    if (!existsSync(dir)) throw error;
  } finally {
    removeDir(draft);
  }
  return dir;
}

function pomFor(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((coordinates) => {
    const [group, artifact, version] = coordinates.split(":");
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>weir</groupId><artifactId>tests</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join("\n")}</dependencies></project>\n`;
}

/** Whether a program of that name can be started. */
export function onPath(name: string): boolean {
  return (process.env.PATH ?? "").split(":").some((dir) =>
    dir !== "" && existsSync(join(dir, name))
  );
}
