import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { withBuildLock } from "../../lib/kafka/native/build_lock.ts";
import { systemClock } from "../../lib/record/time.ts";
import { withTempDir } from "../support/temp_dir.ts";

const DEAD_PID = 2 ** 22 + 1;

test("withBuildLock lets one in at a time, and says that others wait", () =>
  withTempDir(async (dir) => {
    const path = join(dir, "lock");
    const told: string[] = [];
    let inside = 0;
    let most = 0;
    const build = async () => {
      most = Math.max(most, ++inside);
      assertEquals(readFileSync(path, "utf8"), String(process.pid));
      await systemClock.sleep(20);
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withBuildLock(path, (line) => told.push(line), build)));
    assertEquals(most, 1);
    assertEquals(told.length, 2);
    assert(!existsSync(path));
  }));

test("withBuildLock takes over from a process that is gone", () =>
  withTempDir(async (dir) => {
    const path = join(dir, "lock");
    writeFileSync(path, String(DEAD_PID));
    let ran = false;
    await withBuildLock(path, () => {}, () => {
      ran = true;
      return Promise.resolve();
    });
    assert(ran);
  }));

test("withBuildLock takes over a lock that is older than any build", () =>
  withTempDir(async (dir) => {
    const path = join(dir, "lock");
    writeFileSync(path, String(process.pid));
    const hourAgo = systemClock.now() / 1_000 - 3_600;
    utimesSync(path, hourAgo, hourAgo);
    await withBuildLock(path, () => {}, () => Promise.resolve());
  }));

test("withBuildLock lets go when the build fails", () =>
  withTempDir(async (dir) => {
    const path = join(dir, "lock");
    const failing = () => Promise.reject(new Error("cc failed"));
    await assertRejects(() => withBuildLock(path, () => {}, failing), Error, "cc failed");
    assert(!existsSync(path));
  }));
