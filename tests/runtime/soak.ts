// Many instances on one broker, to which all that goes wrong in operation happens, by a seed.
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../lib/record/time.ts";
import { type KafkaBroker, startKafkaBroker } from "../support/kafka_broker.ts";
import type { Random } from "../support/random.ts";
import type { Program } from "../support/spawn.ts";
import { type KillRun, newKillRun } from "./kill_run.ts";

/** How long the session of a member that is killed or stopped lasts (ms). */
const SESSION_MS = 6_000;
const MAX_INSTANCES = 3;
const START_LIMIT_MS = 60_000;
const ARRIVE_LIMIT_MS = 90_000;

/** One instance: its directory stays when its process is replaced. */
interface Instance {
  dir: string;
  program: Program;
}

/** What may happen, with its weight. */
const ACTIONS = {
  kill: 5,
  stop: 3,
  killAll: 1,
  add: 2,
  remove: 2,
  wipe: 2,
  freeze: 2,
  killBroker: 1,
  wait: 2,
};
type Action = keyof typeof ACTIONS;

/** A run of the soak. */
export class Soak {
  readonly #random: Random;
  readonly #dir: string;
  readonly #broker: KafkaBroker;
  readonly #run: KillRun;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #instances: Instance[] = [];
  /** Of all processes that were started. */
  readonly #programs: Program[] = [];
  readonly #log: string[] = [];
  #dirs = 0;

  constructor(
    random: Random,
    dir: string,
    broker: KafkaBroker,
    run: KillRun,
    config: Readonly<Record<string, unknown>>,
  ) {
    this.#random = random;
    this.#dir = dir;
    this.#broker = broker;
    this.#run = run;
    this.#config = config;
  }

  /** Lets `count` things happen while records are written, and then wants the exact outcome. */
  async live(count: number): Promise<void> {
    try {
      this.#add();
      this.#add();
      for (let i = 0; i < count; i++) {
        await this.#run.writeRound();
        await systemClock.sleep(this.#random.int(50, 1_500));
        await this.#act(this.#choose());
      }
      await this.#run.writeEnd();
      await this.#arrived();
      for (const { program } of this.#instances) {
        const exit = await program.stop();
        assertEquals(exit.code, 0, program.stderr);
      }
      await this.#run.assertExact();
    } catch (error) {
      throw new Error(`${this.#log.join("\n")}\n${this.#outputs()}`, { cause: error });
    } finally {
      for (const program of this.#programs) {
        program.signal("SIGCONT");
        program.signal("SIGKILL");
      }
      await Promise.all(this.#programs.map((program) => program.exited));
    }
  }

  #note(text: string): void {
    this.#log.push(`${new Date(systemClock.now()).toISOString()} ${text}`);
  }

  #choose(): Action {
    const all = Object.entries(ACTIONS) as [Action, number][];
    let at = this.#random.int(0, all.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [action, weight] of all) {
      at -= weight;
      if (at < 0) return action;
    }
    throw new RangeError("no action");
  }

  #add(): void {
    this.#instances.push(this.#start(`${this.#dir}/${this.#dirs++}`));
  }

  #start(dir: string): Instance {
    const program = this.#run.start(dir, this.#config);
    this.#programs.push(program);
    this.#note(`start ${program.pid} in ${dir.slice(this.#dir.length + 1)}`);
    return { dir, program };
  }

  async #act(action: Action): Promise<void> {
    const random = this.#random;
    const index = random.int(0, this.#instances.length);
    const { dir, program } = this.#instances[index];
    this.#note(`${action} ${program.pid}`);
    const restart = async (at: string) => {
      await systemClock.sleep(random.int(0, 1_000));
      this.#instances[index] = this.#start(at);
    };
    switch (action) {
      case "kill":
        await program.kill("SIGKILL");
        return await restart(dir);
      case "stop":
        await program.stop();
        return await restart(dir);
      case "wipe":
        await (random.chance(0.5) ? program.stop() : program.kill("SIGKILL"));
        return await restart(`${this.#dir}/${this.#dirs++}`);
      case "killAll":
        await Promise.all(this.#instances.map((each) => each.program.kill("SIGKILL")));
        this.#instances.forEach((each, i) => this.#instances[i] = this.#start(each.dir));
        return;
      case "add":
        if (this.#instances.length < MAX_INSTANCES) this.#add();
        return;
      case "remove":
        if (this.#instances.length < 2) return;
        this.#instances.splice(index, 1);
        await (random.chance(0.5) ? program.stop() : program.kill("SIGKILL"));
        return;
      case "freeze":
        // Long enough to lose its tasks, now and then: it wakes up with work that belongs to others.
        program.signal("SIGSTOP");
        await systemClock.sleep(random.int(500, SESSION_MS + 4_000));
        program.signal("SIGCONT");
        return;
      case "killBroker":
        await this.#broker.kill();
        await systemClock.sleep(random.int(0, 2_000));
        return await this.#broker.start();
      case "wait":
        await program.waitForLine(/state RUNNING/, START_LIMIT_MS);
    }
  }

  async #arrived(): Promise<void> {
    const deadline = systemClock.monotonic() + ARRIVE_LIMIT_MS;
    for (;;) {
      try {
        return await this.#run.arrived();
      } catch (error) {
        this.#note(`not yet: ${(error as Error).message}; ${await this.#run.pairsGap()}`);
        for (const { program } of this.#instances) {
          assert(program.running, `${program.pid} has ended`);
        }
        if (systemClock.monotonic() > deadline) throw error;
      }
    }
  }

  #outputs(): string {
    return this.#programs.map((program) => {
      const text = `${program.stdout}${program.stderr}`;
      return `===== ${program.pid}${program.running ? " (running)" : ""}\n${text.slice(-12_000)}`;
    }).join("\n");
  }
}

/** A soak with a broker of its own. */
export async function soak(random: Random, dir: string, count: number): Promise<void> {
  const threads = random.int(1, 3);
  const protocol = random.chance(0.3) ? "consumer" : "classic";
  console.log(`${count} events, ${threads} threads each, group protocol ${protocol}`);
  const broker = await startKafkaBroker({
    properties: {
      "group.consumer.session.timeout.ms": String(SESSION_MS),
      "group.consumer.min.session.timeout.ms": String(SESSION_MS),
      "group.consumer.heartbeat.interval.ms": "1000",
      "group.consumer.min.heartbeat.interval.ms": "1000",
    },
  });
  try {
    const run = await newKillRun(broker, random);
    await new Soak(random, dir, broker, run, {
      "num.stream.threads": threads,
      ...(protocol === "classic"
        ? { "session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": 1_000 }
        : { "group.protocol": "consumer", "session.timeout.ms": null }),
    }).live(count);
  } finally {
    await broker.stop();
  }
}
