import { test } from "node:test";
import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LockException, ProcessorStateException } from "../../lib/errors.ts";
import { StateDirectory } from "../../lib/state/state_directory.ts";
import process from "node:process";
import { spawnSame } from "../support/spawn.ts";
import { temporaryDirectory } from "./support.ts";

const CHILD = "tests/state/state_child.ts";

function withDirectory(use: (directory: StateDirectory, stateDir: string) => void): void {
  const stateDir = temporaryDirectory();
  try {
    use(new StateDirectory({ stateDir, applicationId: "app" }), stateDir);
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

test("StateDirectory refuses a directory that another process holds, and names its pid", async () => {
  const stateDir = temporaryDirectory();
  const directory = new StateDirectory({ stateDir, applicationId: "app" });
  const child = spawnSame(CHILD, ["lock", stateDir]);
  await child.waitForLine(/locked/);
  assertThrows(() => directory.lock(), LockException, `current value is pid ${child.pid}`);
  await child.kill("SIGKILL");
  directory.lock();
  directory.unlock();
  rmSync(stateDir, { recursive: true, force: true });
});

test("StateDirectory gives the lock to the same process again, and back", () => {
  withDirectory((directory) => {
    directory.lock();
    directory.lock();
    directory.unlock();
    assertEquals(existsSync(join(directory.path, ".lock")), false);
  });
});

test("StateDirectory takes over the lock of a process that is gone, or of one with a reused number", () => {
  withDirectory((directory) => {
    const lockFile = join(directory.path, ".lock");
    for (const holder of ['{"pid":999999999,"started":"x"}', '{"pid":1,"started":"x"}', "", "{"]) {
      writeFileSync(lockFile, holder);
      // A takeover that was cut short does not stand in the way.
      writeFileSync(`${lockFile}.takeover`, '{"pid":999999999,"started":"x"}');
      directory.lock();
      assertMatch(readFileSync(lockFile, "utf8"), new RegExp(`"pid":${process.pid},`));
      directory.unlock();
    }
  });
});

test("StateDirectory keeps its process id, and makes a new one when the file is damaged", () => {
  withDirectory((directory, stateDir) => {
    const id = directory.processId();
    assertMatch(id, /^[0-9a-f-]{36}$/);
    assertEquals(new StateDirectory({ stateDir, applicationId: "app" }).processId(), id);
    const file = join(directory.path, "kafka-streams-process-metadata");
    assertEquals(JSON.parse(readFileSync(file, "utf8")), { processId: id });
    writeFileSync(file, "damaged");
    assertNotEquals(directory.processId(), id);
  });
});

test("StateDirectory lists, opens, wipes and cleans task directories", () => {
  withDirectory((directory) => {
    for (const task of ["0_10", "0_2", "1_0"] as const) directory.taskDirectory(task);
    directory.globalDirectory();
    assertEquals(directory.taskIds(), ["0_2", "0_10", "1_0"]);
    const environment = directory.openTask("0_2");
    environment.open("s").put(Uint8Array.of(1), Uint8Array.of(1));
    environment.commit(new Map([["s", 1]]));
    environment.close({ clean: true });
    const again = directory.openTask("0_2");
    assertEquals(again.committedOffset("s"), 1);
    again.close({ clean: true });
    directory.wipeTask("0_2");
    assertEquals(directory.taskIds(), ["0_10", "1_0"]);
    const longAgo = new Date(1_000);
    for (const task of directory.taskIds()) {
      utimesSync(join(directory.path, task), longAgo, longAgo);
    }
    const idle = { inUse: new Set(["1_0"]), nowMs: 10_000, idleMs: 5_000 };
    assertEquals(directory.removeIdleTasks({ ...idle, idleMs: 9_000 }), []);
    assertEquals(directory.removeIdleTasks(idle), ["0_10"]);
    directory.lock();
    directory.wipe();
    assertEquals(directory.taskIds(), []);
    assertEquals(existsSync(join(directory.path, ".lock")), true);
    directory.unlock();
  });
});

test("StateDirectory says which directory cannot be made", () => {
  const stateDir = temporaryDirectory();
  const file = join(stateDir, "file");
  writeFileSync(file, "");
  assertThrows(
    () => new StateDirectory({ stateDir: file, applicationId: "app" }),
    ProcessorStateException,
    `current value is ${join(file, "app")}`,
  );
  rmSync(stateDir, { recursive: true, force: true });
});
