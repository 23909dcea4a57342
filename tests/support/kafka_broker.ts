/**
 * A real Apache Kafka broker (KRaft, one node) on the loopback interface, from Maven Central's jars.
 *
 * @module
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import {
  brokerProperties,
  type BrokerSecurity,
  type Ports,
  propertiesText,
  type SaslOptions,
  scramArguments,
  secure,
} from "./kafka_broker_properties.ts";
import { answers, createTopics, deleteTopics, type NewTopic } from "./kafka_wire.ts";
import { freePorts } from "./free_port.ts";
import { KAFKA_ARTIFACTS, resolveClasspath } from "./maven.ts";
import { guard, unguard } from "./process_guard.ts";
import { run } from "./spawn.ts";
import { makeTempDir, removeDir } from "./temp_dir.ts";

/** How a broker is started. */
export interface BrokerOptions {
  /** Adds a SASL_SSL listener with users of its own; `bootstrapServers` is then that listener. */
  readonly sasl?: SaslOptions;
  /** Added to, or put in place of, the test settings of `server.properties`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** The size of the heap; 512m when not given. */
  readonly heap?: string;
  /** Whether the JVM may take its time to compile well, as a benchmark wants; tests want a quick start. */
  readonly compile?: "quickly" | "fully";
}

/** What every test may do with a broker, also with one that it shares. */
export interface BrokerAccess {
  readonly bootstrapServers: string;
  /** Creates a topic with one replica; 1 partition when not given. */
  createTopic(name: string, options?: Omit<NewTopic, "name">): Promise<void>;
  /** Creates several topics by one request. */
  createTopics(topics: readonly NewTopic[]): Promise<void>;
  deleteTopics(names: readonly string[]): Promise<void>;
}

/** A broker of the test's own. */
export class KafkaBroker implements BrokerAccess {
  readonly dir: string;
  readonly bootstrapServers: string;
  /** The listener without security; the same as `bootstrapServers` when no other was asked for. */
  readonly plainBootstrapServers: string;
  /** The files and names a client needs for the SASL_SSL listener. */
  readonly security: BrokerSecurity | undefined;
  readonly #javaArguments: readonly string[];
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(
    dir: string,
    ports: Ports,
    security: BrokerSecurity | undefined,
    javaArguments: readonly string[],
  ) {
    this.dir = dir;
    this.plainBootstrapServers = `127.0.0.1:${ports.plain}`;
    this.bootstrapServers = security ? `127.0.0.1:${ports.secure}` : this.plainBootstrapServers;
    this.security = security;
    this.#javaArguments = javaArguments;
  }

  /** The JVM's process id; -1 when it is not running. */
  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  createTopic(name: string, options: Omit<NewTopic, "name"> = {}): Promise<void> {
    return this.createTopics([{ name, ...options }]);
  }
  createTopics(topics: readonly NewTopic[]): Promise<void> {
    return createTopics(this.plainBootstrapServers, topics);
  }
  deleteTopics(names: readonly string[]): Promise<void> {
    return deleteTopics(this.plainBootstrapServers, names);
  }

  /** What the broker has logged so far. */
  log(): string {
    const path = join(this.dir, "broker.log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Starts the broker, again after `kill()` on the same data and ports; resolves when it answers. */
  async start(): Promise<void> {
    if (this.#process) throw new Error(`The broker runs already: process ${this.pid}`);
    const log = openSync(join(this.dir, "broker.log"), "a");
    const java = spawn("java", [
      ...this.#javaArguments,
      "kafka.Kafka",
      join(this.dir, "server.properties"),
    ], {
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#process = java;
    this.#ended = new Promise((resolve) => {
      java.on("error", () => resolve());
      java.on("exit", () => {
        unguard(java.pid ?? -1);
        if (this.#process === java) this.#process = undefined;
        resolve();
      });
    });
    // A test that forgets to stop it still ends, and the guard then ends the broker.
    java.unref();
    guard(java.pid!, this.dir);
    for (let attempt = 0; attempt < 1_200; attempt++) {
      try {
        await answers(this.plainBootstrapServers);
        return;
      } catch {
        if (this.#process !== java) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    throw new Error(
      `The broker did not start (its directory ${
        existsSync(this.dir) ? "is there" : "is gone"
      }, its process ${this.#process === undefined ? "has ended" : "runs"})\n${
        this.log().slice(-6_000)
      }`,
    );
  }

  /** Ends the broker as a crash would; `start()` brings it back with its data. */
  async kill(): Promise<void> {
    // The guard goes first: it would take the directory along, which a broker that is started again needs.
    if (this.#process?.pid !== undefined) unguard(this.#process.pid);
    this.#process?.ref();
    this.#process?.kill("SIGKILL");
    await this.#ended;
  }

  /** Ends the broker and removes its directory. Quick: nothing of a test's broker is worth a clean end. */
  async stop(): Promise<void> {
    await this.kill();
    removeDir(this.dir);
  }
}

/** Starts a broker; see `KafkaBroker`. Ready in about 5 seconds. */
export async function startKafkaBroker(options: BrokerOptions = {}): Promise<KafkaBroker> {
  const classpath = await resolveClasspath(KAFKA_ARTIFACTS);
  const dir = makeTempDir("kafka");
  const [plain, controller, securePort] = await freePorts(3);
  const ports = { plain, controller, secure: securePort };
  const security = options.sasl && await secure(dir, options.sasl);
  const properties = { ...brokerProperties(dir, ports, security), ...options.properties };
  const file = join(dir, "server.properties");
  mkdirSync(join(dir, "data"));
  writeFileSync(file, propertiesText(properties));
  const quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"];
  const logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
  const base = [...(options.compile === "fully" ? [] : quick), logging, "-cp", classpath];
  await run("java", [
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    logging,
    "-cp",
    classpath,
    "kafka.tools.StorageTool",
    "format",
    "--cluster-id",
    clusterId(),
    "--config",
    file,
    ...scramArguments(security),
  ]);
  const heap = options.heap ?? "512m";
  const broker = new KafkaBroker(dir, ports, security, [`-Xms${heap}`, `-Xmx${heap}`, ...base]);
  try {
    await broker.start();
  } catch (error) {
    await broker.stop();
    throw error;
  }
  return broker;
}

let shared: Promise<BrokerAccess> | undefined;

/**
 * The broker of the whole test run, named by `WEIR_TEST_BOOTSTRAP`; without it one of this process's own, which ends with the
 * process. Tests use topic names and application ids of their own on it (`uniqueName`).
 */
export function sharedKafkaBroker(): Promise<BrokerAccess> {
  const given = process.env.WEIR_TEST_BOOTSTRAP;
  return shared ??= given ? Promise.resolve(accessTo(given)) : startKafkaBroker();
}

/** A running broker by its address. */
export function accessTo(bootstrapServers: string): BrokerAccess {
  return {
    bootstrapServers,
    createTopic: (name, options = {}) => createTopics(bootstrapServers, [{ name, ...options }]),
    createTopics: (topics) => createTopics(bootstrapServers, topics),
    deleteTopics: (names) => deleteTopics(bootstrapServers, names),
  };
}

/** `label` with an ending that no other test has. */
export function uniqueName(label: string): string {
  return `${label}-${crypto.randomUUID().slice(0, 8)}`;
}

/** A cluster id: 16 bytes in base64url, not beginning with a dash, which the tool would take for an option. */
function clusterId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] &= 0x7f;
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
}
