import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ProcessorStateException, StreamsException, TaskMigratedException } from "../errors.ts";
import { systemClock } from "../record/time.ts";
import { mayBeTorn, writeBootMark } from "./boot_mark.ts";
import { LeanStore } from "./lean_store.ts";
import {
  LmdbBytes,
  type Numbers,
  openRoot,
  openStore,
  type Root,
  STORE_PREFIX,
} from "./lmdb_bytes.ts";
import { OverlaidStore } from "./overlay.ts";
import { type ResidentBudget, threadResidentBudget } from "./resident_budget.ts";
import type { ByteStore, StateEnvironment } from "./store.ts";
import { threadUnsavedBudget, type UnsavedBudget } from "./unsaved_budget.ts";

/** How safe a commit is against a crash of the kernel. `never`: such a crash costs a restore; `commit`: each commit is saved at once and fsynced. */
export type StateSync = "never" | "commit";

/** Options of `LmdbEnvironment`. */
export interface LmdbEnvironmentOptions {
  /** The task's directory; made when missing. */
  readonly directory: string;
  /** Default: `never`. */
  readonly sync?: StateSync;
  /** The memory for rows that need not be read from the disk again. Default: that of the thread. */
  readonly resident?: ResidentBudget;
  /** The memory for commits that wait for the disk. Default: that of the thread. */
  readonly unsaved?: UnsavedBudget;
}

const DATA_FILE = "state.mdb";
const LOCK_FILE = "state.mdb-lock";
const MARK_FILE = "boot.json";
/**
 * The state of a task on disk: one LMDB environment per task directory, one named database per store, and the changelog
 * positions beside them. Commits wait in memory until there is enough of them, or the last save is a few seconds ago; what is then saved is one LMDB transaction.
 */
export class LmdbEnvironment implements StateEnvironment {
  readonly #directory: string;
  readonly #resident: ResidentBudget;
  readonly #root: Root;
  readonly #positions: Numbers;
  readonly #owners: Numbers;
  /** How often the environment was opened when this was. */
  readonly #owner: number;
  readonly #offsets = new Map<string, number>();
  readonly #unsaved: UnsavedBudget;
  readonly #savesEachCommit: boolean;
  /** Positions that are committed and not on the disk. */
  readonly #unsavedOffsets = new Map<string, number>();
  /** Whether a commit is not on the disk. */
  #hasUnsaved = false;
  /** When it was saved last, or opened (ms, monotonic). */
  #savedAt = systemClock.monotonic();
  readonly #stores = new Map<string, OverlaidStore | LeanStore>();
  readonly #volatile = new Set<string>();
  #isOpen = true;
  /** A save or a wipe has failed. */
  #isBroken = false;

  /**
   * Opens or makes the environment. When the kernel has started anew and the last run did not close it, it is emptied first: what was not
   * fsynced may be torn.
   *
   * @throws {ProcessorStateException} when LMDB cannot open it
   */
  constructor(options: LmdbEnvironmentOptions) {
    this.#directory = options.directory;
    const { sync = "never" } = options;
    this.#resident = options.resident ?? threadResidentBudget;
    this.#unsaved = options.unsaved ?? threadUnsavedBudget;
    this.#savesEachCommit = sync === "commit";
    mkdirSync(this.#directory, { recursive: true });
    const mark = join(this.#directory, MARK_FILE);
    if (sync === "never" && mayBeTorn(mark)) removeFiles(this.#directory);
    writeBootMark(mark, "open");
    try {
      this.#root = openRoot(join(this.#directory, DATA_FILE), sync === "commit");
      this.#positions = this.#root.openDB<number, string>({
        name: "positions",
        encoding: "json",
        cache: false,
      });
      this.#owners = this.#root.openDB<number, string>({
        name: "owners",
        encoding: "json",
        cache: false,
      });
      this.#owner = this.#root.transactionSync(() => {
        const owner = (this.#owners.get(OWNER) ?? 0) + 1;
        this.#owners.putSync(OWNER, owner);
        return owner;
      });
    } catch (error) {
      throw new ProcessorStateException(
        `Cannot open the state of ${this.#directory} as LMDB refuses it: ${
          (error as Error).message
        }`,
        { cause: error },
      );
    }
    for (const { key, value } of this.#positions.getRange({})) this.#offsets.set(key, value);
  }

  open(
    name: string,
    options?: { readonly volatile?: boolean; readonly lean?: boolean },
  ): ByteStore {
    let store = this.#stores.get(name);
    if (store === undefined) {
      if (options?.volatile) {
        this.#forgetPosition(name);
        store = new OverlaidStore(name);
      } else {
        const committed = new LmdbBytes(this.#root, name, () => this.#checkOwner());
        const disk = { committed, budget: this.#resident };
        store = options?.lean ? new LeanStore(name, disk) : new OverlaidStore(name, disk);
      }
      this.#stores.set(name, store);
    }
    return store;
  }

  /** A position that an earlier topology left for a store of that name, which then was on disk. */
  #forgetPosition(name: string): void {
    this.#volatile.add(name);
    if (this.#offsets.delete(name)) this.#positions.removeSync(name);
  }

  committedOffset(storeName: string): number | undefined {
    return this.#offsets.get(storeName);
  }

  /**
   * Positions never go back: what is told of an earlier write, late, says nothing new.
   * @throws {TaskMigratedException} when it saves and another thread has opened the environment since
   */
  commit(offsets: ReadonlyMap<string, number>): void {
    for (const store of this.#stores.values()) store.seal();
    for (const [name, offset] of offsets) {
      if ((this.#offsets.get(name) ?? -1) >= offset) continue;
      this.#offsets.set(name, offset);
      if (!this.#volatile.has(name)) this.#unsavedOffsets.set(name, offset);
    }
    if (!this.#isUnsaved()) return;
    this.#hasUnsaved = true;
    this.#unsaved.hold(this, this.#unsavedBytes());
    this.saveIfDue();
  }

  saveIfDue(): void {
    if (!this.#hasUnsaved || this.uncommittedBytes > 0) return;
    const { maxMs, isExceeded } = this.#unsaved;
    const isOld = systemClock.monotonic() - this.#savedAt >= maxMs;
    if (isOld || isExceeded || this.#savesEachCommit) this.save();
  }

  save(): void {
    if (!this.#hasUnsaved) return;
    if (this.#isBroken) {
      throw new StreamsException(
        `Cannot save the state of ${this.#directory} as it could not be saved before: open it again`,
      );
    }
    // The stores do not tell apart what they hand over.
    if (this.uncommittedBytes > 0) {
      throw new StreamsException(
        `Cannot save the state of ${this.#directory} as writes are not committed: current value is ${this.uncommittedBytes} bytes`,
      );
    }
    try {
      this.#root.transactionSync(() => {
        this.#checkOwner();
        for (const store of this.#stores.values()) store.save();
        for (const [name, offset] of this.#unsavedOffsets) this.#positions.putSync(name, offset);
      });
    } catch (error) {
      // The stores have let go of rows that are not on the disk: nothing may be written behind them.
      this.#isBroken = true;
      throw error;
    }
    this.#nothingUnsaved();
  }

  #nothingUnsaved(): void {
    this.#unsavedOffsets.clear();
    this.#hasUnsaved = false;
    this.#savedAt = systemClock.monotonic();
    this.#unsaved.hold(this, 0);
  }

  /** Within a transaction. A thread that lost its task without noticing must not write over what the next owner has. */
  #checkOwner(): void {
    if (this.#owners.get(OWNER) === this.#owner) return;
    throw new TaskMigratedException(
      `Cannot write the state in ${this.#directory} as another thread has opened it since: the task belongs to that thread now`,
    );
  }

  #isUnsaved(): boolean {
    if (this.#unsavedOffsets.size > 0) return true;
    for (const store of this.#stores.values()) if (store.isUnsaved) return true;
    return false;
  }

  #unsavedBytes(): number {
    let bytes = 0;
    for (const store of this.#stores.values()) bytes += store.unsavedBytes;
    return bytes;
  }

  rollback(): void {
    for (const store of this.#stores.values()) store.rollback();
  }

  get uncommittedBytes(): number {
    let bytes = 0;
    for (const store of this.#stores.values()) bytes += store.uncommittedBytes;
    return bytes;
  }

  wipe(): void {
    this.#isBroken = true;
    this.#root.transactionSync(() => {
      this.#checkOwner();
      // Databases of stores that are not open now are emptied too.
      for (const name of [...this.#root.getKeys({})]) {
        const text = new TextDecoder().decode(name as Uint8Array);
        if (text.startsWith(STORE_PREFIX)) openStore(this.#root, text).clearSync();
      }
      this.#positions.clearSync();
      for (const store of this.#stores.values()) store.wipe();
    });
    this.#offsets.clear();
    this.#isBroken = false;
    this.#nothingUnsaved();
  }

  /**
   * Saves what was committed, and closes the files. Clean: they are fsynced and marked so. Writes that were not committed are forgotten, and where another
   * has opened the environment since, all that is not saved: that one has read it from the changelog.
   */
  close({ clean }: { clean: boolean }): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    let isOwner = false;
    try {
      isOwner = this.#saveLast();
    } finally {
      for (const store of this.#stores.values()) store.close();
      this.#unsaved.hold(this, 0);
      void this.#root.close();
    }
    if (!clean || !isOwner) return;
    const file = openSync(join(this.#directory, DATA_FILE), "r+");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    writeBootMark(join(this.#directory, MARK_FILE), "clean");
  }

  /** False: the environment belongs to another. */
  #saveLast(): boolean {
    if (this.#owners.get(OWNER) !== this.#owner) return false;
    this.rollback();
    if (this.#isBroken) return true;
    try {
      this.save();
      return true;
    } catch (error) {
      if (error instanceof TaskMigratedException) return false;
      throw error;
    }
  }
}

/** Whether the directory holds an LMDB environment. */
export function hasLmdbState(directory: string): boolean {
  return existsSync(join(directory, DATA_FILE));
}

const OWNER = "owner";

function removeFiles(directory: string): void {
  rmSync(join(directory, DATA_FILE), { force: true });
  rmSync(join(directory, LOCK_FILE), { force: true });
}
