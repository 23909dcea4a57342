import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import { seededRandom } from "../support/random.ts";
import { spawnSame } from "../support/spawn.ts";
import { hex, temporaryDirectory } from "./support.ts";

const CHILD = "tests/state/state_child.ts";
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Opens the state that a killed process left, and shows its rows and position. */
function look(directory: string, store: string): { rows: string[]; offset: number | undefined } {
  const environment = new LmdbEnvironment({ directory });
  const rows = [...environment.open(store).range(undefined, undefined)];
  const offset = environment.committedOffset(store);
  environment.close({ clean: false });
  return { rows: rows.map(([key, value]) => `${hex(key)}=${hex(value)}`), offset };
}

test("LmdbEnvironment holds exactly what was committed when the process is killed after a commit", async () => {
  const directory = temporaryDirectory();
  const child = spawnSame(CHILD, ["put-after-commit", directory]);
  await child.waitForLine(/written/);
  await child.kill("SIGKILL");
  assertEquals(look(directory, "a"), { rows: ["00000001=00000001"], offset: 1 });
  rmSync(directory, { recursive: true, force: true });
});

for (
  const [name, what, waiting] of [
    ["", "commit-for-ever", 0],
    [", where a few hundred commits wait", "commit-and-wait", 400],
  ] as const
) {
  test(`LmdbEnvironment holds one whole transaction, whenever the process is killed${name}`, async () => {
    const random = seededRandom("crash");
    const directory = temporaryDirectory();
    let reached = 0;
    for (let kill = 0; kill < 6; kill++) {
      const child = spawnSame(CHILD, [what, directory]);
      await child.waitForNth(/committed \d+/, random.int(0, 4));
      await pause(random.int(0, 30));
      await child.kill("SIGKILL");
      const committed = [...child.stdout.matchAll(/committed (\d+)/g)].map(([, n]) => Number(n));
      const [a, b] = [look(directory, "a"), look(directory, "b")];
      const transaction = a.offset ?? 0;
      assert(transaction >= committed.at(-1)! - waiting, "a commit is lost that was saved");
      assert(transaction + waiting > reached, "nothing was kept");
      reached = transaction;
      if (transaction === 0) continue;
      const value = transaction.toString(16).padStart(8, "0");
      const expected = Array.from(
        { length: 50 },
        (_, row) => `${row.toString(16).padStart(8, "0")}=${value}`,
      );
      assertEquals(a, { rows: expected, offset: transaction });
      assertEquals(b, { rows: expected, offset: transaction });
    }
    assert(reached > 0, "nothing was ever kept");
    rmSync(directory, { recursive: true, force: true });
  });
}

function filled(directory: string, options: { readonly clean: boolean }): void {
  const environment = new LmdbEnvironment({ directory });
  environment.open("a").put(Uint8Array.of(1), Uint8Array.of(1));
  environment.commit(new Map([["a", 5]]));
  environment.close(options);
}

/** Makes it look as if the kernel had started anew since. */
function reboot(directory: string): void {
  const file = join(directory, "boot.json");
  const mark = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...mark, boot: "another boot" }));
}

test("LmdbEnvironment starts empty when the kernel has started anew without a clean close", () => {
  const directory = temporaryDirectory();
  filled(directory, { clean: false });
  assertEquals(look(directory, "a").offset, 5);
  reboot(directory);
  assertEquals(look(directory, "a"), { rows: [], offset: undefined });
  rmSync(directory, { recursive: true, force: true });
});

test("LmdbEnvironment keeps its rows over a new start of the kernel after a clean close", () => {
  const directory = temporaryDirectory();
  filled(directory, { clean: true });
  reboot(directory);
  assertEquals(look(directory, "a"), { rows: ["01=01"], offset: 5 });
  rmSync(directory, { recursive: true, force: true });
});

test("LmdbEnvironment starts empty when its mark cannot be read", () => {
  const directory = temporaryDirectory();
  filled(directory, { clean: true });
  writeFileSync(join(directory, "boot.json"), "{");
  assertEquals(look(directory, "a").rows, []);
  rmSync(directory, { recursive: true, force: true });
});

test("LmdbEnvironment with state.sync=commit keeps its rows over a new start of the kernel", () => {
  const directory = temporaryDirectory();
  const environment = new LmdbEnvironment({ directory, sync: "commit" });
  environment.open("a").put(Uint8Array.of(1), Uint8Array.of(1));
  environment.commit(new Map([["a", 5]]));
  environment.close({ clean: false });
  reboot(directory);
  const again = new LmdbEnvironment({ directory, sync: "commit" });
  assertEquals(again.committedOffset("a"), 5);
  again.close({ clean: true });
  rmSync(directory, { recursive: true, force: true });
});
