/**
 * The command line. Data goes to standard output, everything else to standard error.
 *
 * @module
 */
import process from "node:process";
import { Command, CommanderError, Option } from "commander";
import { ConfigException, TopologyException } from "../errors.ts";
import { describeFile, formatTopology, TOPOLOGY_FORMATS, type TopologyFormat } from "./describe.ts";
import { EXIT } from "./exit_codes.ts";
import { explainSettings } from "./explain.ts";
import { health, type HealthOptions } from "./health.ts";
import { reset, type ResetOptions } from "./reset.ts";
import { run } from "./run.ts";
import { readSettings, type SettingOptions } from "./settings.ts";
import { findTopologies } from "./topology_files.ts";
import { versionText } from "./version.ts";
import { provideWeirModule } from "./weir_module.ts";

/** Where the program writes. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
}

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/** Runs the command line and gives the exit code. */
export async function main(
  args: readonly string[],
  { out, err }: Terminal = terminal,
): Promise<number> {
  provideWeirModule();
  let code: number = EXIT.ok;
  const program = commands({ out, err }, (result) => void (code = result));
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    return reportError(error, err);
  }
}

/** Says what went wrong and chooses the exit code. */
export function reportError(error: unknown, err: (text: string) => void): number {
  // Help and version are errors to commander, which it has printed.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ConfigException) {
    err(`weir: ${message}\n`);
    return EXIT.usage;
  }
  if (error instanceof TopologyException) {
    err(`weir: ${message}\n`);
    return EXIT.topology;
  }
  err(`weir: ${error instanceof Error ? error.stack ?? message : message}\n`);
  return EXIT.failed;
}

function commands({ out, err }: Terminal, done: (code: number) => void): Command {
  const program = new Command("weir")
    .description("Kafka Streams for TypeScript")
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err })
    .showHelpAfterError("(weir --help says more)");
  const withSettings = (command: Command) =>
    command.option("-c, --config <file>", "settings in YAML, JSON or properties")
      .option("-s, --set <key=value>", "a setting by Kafka's name; may be repeated", collect, []);

  withSettings(program.command("run").argument("<files...>", "topology files, or folders of them"))
    .description("Runs topologies until SIGTERM or SIGINT")
    .action(async (files: string[], options: SettingOptions) => done(await run(files, options)));

  program.command("topology").argument("<files...>", "topology files, or folders of them")
    .description("Prints topologies as Kafka Streams' describe() does")
    .addOption(new Option("-f, --format <format>").choices(TOPOLOGY_FORMATS).default("text"))
    .action(async (files: string[], { format }: { format: TopologyFormat }) => {
      for (const file of await findTopologies(files)) {
        out(formatTopology(await describeFile(file), format));
      }
    });

  const config = program.command("config").description("Shows the configuration");
  withSettings(config.command("explain"))
    .description("Prints each setting with its value and where it was given")
    .option("-a, --all", "defaults too", false)
    .addOption(new Option("-o, --output <format>").choices(["text", "json"]).default("text"))
    .action((options: SettingOptions & { all: boolean; output: "text" | "json" }) => {
      const settings = readSettings(options, { bootstrap: "optional" });
      for (const warning of settings.warnings) err(`weir: ${warning}\n`);
      out(explainSettings(settings, { all: options.all, format: options.output }));
    });

  program.command("health")
    .description("Asks a running instance whether it is healthy; exit code 4 when not")
    .option("-u, --url <url>", "the admin server", "http://127.0.0.1:8080")
    .addOption(
      new Option("-p, --probe <probe>").choices(["live", "ready", "started"]).default("live"),
    )
    .option("-t, --timeout-ms <ms>", "how long to wait", Number, 3000)
    .action(async (options: HealthOptions) =>
      done(await health(options, (text) => out(`${text}\n`)))
    );

  addReset(program, out, done);
  program.command("version").description("Prints the version")
    .action(() => out(`${versionText()}\n`));
  return program;
}

function addReset(program: Command, out: (text: string) => void, done: (code: number) => void) {
  program.command("reset")
    .description("Lets an application begin anew: the flags of Kafka's StreamsResetter")
    .requiredOption("--application-id <id>", "application.id of the application")
    .requiredOption("--bootstrap-server <servers>", "host:port of brokers, comma-separated")
    .option("--input-topics <topics>", "its input topics, comma-separated", list, [])
    .option("--internal-topics <topics>", "internal topics to delete; all of them by default", list)
    .option("--to-earliest", "input offsets to the beginning (the default)")
    .option("--to-latest", "input offsets to the end")
    .option("--to-offset <offset>", "input offsets to this one", Number)
    .option("--to-datetime <time>", "input offsets to this time: 2026-01-31T12:00:00.000")
    .option("--by-duration <duration>", "input offsets to so long ago: PnDTnHnMnS")
    .option("--shift-by <n>", "input offsets by so many, back when negative", Number)
    .option("--from-file <file>", "input offsets from a CSV file: topic,partition,offset")
    .option("--config-file <file>", "client settings in YAML, JSON or properties")
    .option("--force", "removes members that are still in the group", false)
    .option("--local", "deletes the local state too", false)
    .option("--state-dir <dir>", "where that is; state.dir by default")
    .option("--dry-run", "only says what it would do (the default)")
    .option("--execute", "does it", false)
    .action(async (options: ResetOptions) => done(await reset(options, out)));
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function list(value: string): string[] {
  return value.split(",").map((text) => text.trim()).filter((text) => text !== "");
}
