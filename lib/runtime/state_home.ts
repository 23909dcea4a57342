import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { LockException } from "../errors.ts";
import { StateDirectory } from "../state/state_directory.ts";
import type { StateHome, StatePlace } from "./streams_host.ts";

/**
 * Opens and locks an application's state directory.
 * @throws {LockException} when another process holds it, or another application of this one
 * @throws {ProcessorStateException} when it cannot be made
 */
export function openStateHome(place: StatePlace): StateHome {
  const directory = stateDirectoryOf(place);
  if (HELD.has(directory.path)) {
    throw new LockException(
      `Cannot use the state directory as another application of this process holds it: current value is ${directory.path}. ` +
        "Stop that application, or give this one its own state.dir",
    );
  }
  directory.lock();
  HELD.add(directory.path);
  const giveBack = () => {
    if (HELD.delete(directory.path)) directory.unlock();
  };
  try {
    return homeOf(directory, giveBack);
  } catch (error) {
    giveBack();
    throw error;
  }
}

/** The directories that applications of this process hold: the lock on the disk knows processes alone. */
const HELD = new Set<string>();

/** The same directory for a Worker of the process that holds it. Its global stores are its own: they lie apart. */
export function sharedStateHome(place: StatePlace, threadIndex: number): StateHome {
  const shared = stateDirectoryOf(place);
  const own = new StateDirectory({
    stateDir: join(shared.path, "threads"),
    applicationId: String(threadIndex),
    sync: place.sync,
  });
  return {
    ...homeOf(shared, () => {}),
    globalDirectory: own.globalDirectory(),
    openGlobal: () => own.openGlobal(),
  };
}

function stateDirectoryOf({ directory, applicationId, sync }: StatePlace): StateDirectory {
  return new StateDirectory({ stateDir: directory, applicationId, sync });
}

function homeOf(directory: StateDirectory, close: () => void): StateHome {
  return {
    processId: directory.processId(),
    stable: true,
    globalDirectory: directory.globalDirectory(),
    openTask: (id) => directory.openTask(id),
    taskDirectory: (id) => directory.taskDirectory(id),
    taskBytes: (id) => bytesIn(join(directory.path, id)),
    openGlobal: () => directory.openGlobal(),
    removeIdle: (inUse, nowMs, idleMs) => directory.removeIdleTasks({ inUse, nowMs, idleMs }),
    wipe: () => directory.wipe(),
    close,
  };
}

function bytesIn(directory: string): number {
  try {
    return readdirSync(directory).reduce(
      (sum, name) => sum + statSync(join(directory, name)).size,
      0,
    );
  } catch (error) {
    // The task has moved away in between.
    if ((error as { code?: string }).code === "ENOENT") return 0;
    throw error;
  }
}
