/** The Java side of the comparison: Apache Kafka Streams, from Maven Central. @module */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  compileJava,
  KAFKA_ARTIFACTS,
  KAFKA_VERSION,
  resolveClasspath,
} from "../../tests/support/maven.ts";
import { run } from "../../tests/support/spawn.ts";
import type { Measurement } from "../report.ts";

const JAVA_OPTIONS = [
  "-Xms1g",
  "-Xmx1g",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

/** Runs subcommands of the peer; see bench/peer/README.md for their options. */
export interface Peer {
  /** Gives the JSON lines that it printed. @throws {Error} when it fails, with its output */
  run(
    command: string,
    options: Readonly<Record<string, string | number>>,
  ): Promise<Measurement[]>;
}

/** The peer against a broker; compiles it on the first call on this machine. */
export async function openPeer(bootstrapServers: string): Promise<Peer> {
  const libraries = await resolveClasspath([
    ...KAFKA_ARTIFACTS,
    `org.apache.kafka:kafka-streams:${KAFKA_VERSION}`,
    "org.apache.avro:avro:1.12.0",
  ]);
  const dir = join(import.meta.dirname!, "src/peer");
  const classpath = await compileJava(readdirSync(dir).map((name) => join(dir, name)), libraries);
  return {
    run: async (command, options) => {
      const given = { ...options, bootstrap: bootstrapServers };
      const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const java = [...JAVA_OPTIONS, "-cp", classpath, "peer.Peer", command, ...args];
      const { stdout, stderr } = await run("java", java);
      const notes = stderr.split("\n").filter((line) => /^loaded|^note|already has/.test(line));
      if (notes.length > 0) console.error(notes.join("\n"));
      const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
      return lines.map((line) => JSON.parse(line) as Measurement);
    },
  };
}
