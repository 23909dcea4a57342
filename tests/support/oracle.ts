/** The real Kafka Streams as the judge of scenario files, in a JVM that stays warm between calls. @module */
import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileJava, KAFKA_VERSION, resolveClasspath } from "./maven.ts";
import { Program, repositoryRoot } from "./spawn.ts";

/** What became of a directory of scenarios. */
export interface OracleResult {
  /** Files written with `expected` filled in. */
  readonly written: number;
  /** Files that are no scenario, or that the Java side does not know how to build. */
  readonly failed: number;
  /** What the Java side printed about those. */
  readonly log: string;
}

/** A warm JVM. One directory at a time. */
export class Oracle {
  readonly #program: Program;
  #answers = 0;
  #logRead = 0;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(program: Program) {
    this.#program = program;
  }

  /** Runs every `*.json` below `inDir` and writes it to `outDir` by its file name. Calls wait for each other. */
  run(inDir: string, outDir: string): Promise<OracleResult> {
    const result = this.#busy.then(() => this.#runNow(inDir, outDir));
    this.#busy = result.catch(() => {});
    return result;
  }

  async #runNow(inDir: string, outDir: string): Promise<OracleResult> {
    this.#program.write(`${inDir}\t${outDir}\n`);
    const answer = await this.#program.waitForNth(/^done (\d+) (\d+)$/, this.#answers++, 3_600_000);
    const log = this.#program.stderr.slice(this.#logRead).trim();
    this.#logRead = this.#program.stderr.length;
    return { written: Number(answer[1]), failed: Number(answer[2]), log };
  }

  /** Ends the JVM, which takes the native library that it unpacked with it. */
  async stop(): Promise<void> {
    await this.#program.stop();
  }
}

/** Starts the oracle; compiles it on the first call on this machine. */
export async function startOracle(): Promise<Oracle> {
  const libraries = await resolveClasspath([
    `org.apache.kafka:kafka-streams:${KAFKA_VERSION}`,
    `org.apache.kafka:kafka-streams-test-utils:${KAFKA_VERSION}`,
    "com.fasterxml.jackson.core:jackson-databind:2.19.0",
    "org.slf4j:slf4j-simple:1.7.36",
  ]);
  const sources = ["Fns", "Procs", "Steps", "Oracle", "Main"];
  const dir = join(repositoryRoot, "tests/oracle/src/oracle");
  const classpath = await compileJava(sources.map((name) => join(dir, `${name}.java`)), libraries);
  const options = ["-Xmx1g", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"];
  options.push(`-Djava.io.tmpdir=${scratchDir()}`);
  return new Oracle(new Program("java", [...options, "-cp", classpath, "oracle.Main"]));
}

/** One directory in a JVM of its own. */
export async function runOracle(inDir: string, outDir: string): Promise<OracleResult> {
  const oracle = await startOracle();
  try {
    return await oracle.run(inDir, outDir);
  } finally {
    await oracle.stop();
  }
}

/** RocksDB syncs when a store is opened: in memory the scenarios take a third of the time. */
function scratchDir(): string {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize > 1 << 30 ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
}
