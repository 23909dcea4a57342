/**
 * A real registry that speaks the Confluent Schema Registry's protocol: Apicurio, in memory, from Maven Central.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { freePort } from "./free_port.ts";
import { fetchArtifact } from "./maven.ts";
import { guard, unguard } from "./process_guard.ts";
import { makeTempDir, removeDir } from "./temp_dir.ts";

const VERSION = "2.6.13.Final";

/** A running registry. */
export interface SchemaRegistry {
  /** What `schema.registry.url` is set to. */
  readonly url: string;
}

/** A registry of the test's own. */
export interface OwnSchemaRegistry extends SchemaRegistry {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a registry; ready in about 3 seconds. Its compatibility level is BACKWARD, as the Confluent one's is. */
export async function startRegistry(): Promise<OwnSchemaRegistry> {
  const home = await fetchArtifact(`io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`);
  const dir = makeTempDir("registry");
  const port = await freePort();
  const logFile = join(dir, "registry.log");
  const log = openSync(logFile, "a");
  const jar = join(home, `apicurio-registry-app-${VERSION}-runner.jar`);
  const java = spawn("java", [
    "-Xmx512m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-jar",
    jar,
  ], {
    // Its class path is relative to where the archive was unpacked.
    cwd: home,
    env: { ...process.env, QUARKUS_HTTP_HOST: "127.0.0.1", QUARKUS_HTTP_PORT: String(port) },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  let running = true;
  const ended = new Promise<void>((resolve) => {
    java.on("error", () => resolve());
    java.on("exit", () => resolve());
  }).then(() => {
    running = false;
    unguard(java.pid ?? -1);
  });
  java.unref();
  guard(java.pid!, dir);
  const stop = async () => {
    java.ref();
    java.kill("SIGKILL");
    await ended;
    removeDir(dir);
  };
  const address = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 1_200 && running; attempt++) {
    if (await ready(address)) {
      await setLevel(`${address}/apis/ccompat/v7`);
      return { url: `${address}/apis/ccompat/v7`, pid: java.pid!, stop };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const text = readFileSync(logFile, "utf8").slice(-6_000);
  await stop();
  throw new Error(`The registry did not start\n${text}`);
}

let shared: Promise<SchemaRegistry> | undefined;

/** The registry of the whole test run, named by `WEIR_TEST_REGISTRY`; without it one of this process's own. */
export function sharedRegistry(): Promise<SchemaRegistry> {
  const given = process.env.WEIR_TEST_REGISTRY;
  return shared ??= given ? Promise.resolve({ url: given }) : startRegistry();
}

async function ready(address: string): Promise<boolean> {
  try {
    const answer = await fetch(`${address}/health/ready`);
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

async function setLevel(url: string): Promise<void> {
  const answer = await fetch(`${url}/config`, {
    method: "PUT",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ compatibility: "BACKWARD" }),
  });
  if (!answer.ok) {
    throw new Error(`Cannot set the registry's level: ${answer.status} ${await answer.text()}`);
  }
  await answer.body?.cancel();
}
