// A Worker for the tests: opens a task's state in the directory it is told, commits in it and says what it holds.
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import { UnsavedBudget } from "../../lib/state/unsaved_budget.ts";

const port = self as unknown as {
  onmessage: ((event: { data: Order }) => void) | null;
  postMessage(message: unknown): void;
};

/** What a Worker is to do. */
interface Order {
  readonly directory: string;
  readonly commits: number;
  /** Without it the environment is left open when the Worker ends. */
  readonly close: boolean;
}

port.onmessage = ({ data: { directory, commits, close } }) => {
  try {
    const environment = new LmdbEnvironment({
      directory,
      unsaved: new UnsavedBudget({ maxBytes: 0 }),
    });
    const store = environment.open("rows");
    const before = environment.committedOffset("rows") ?? 0;
    for (let commit = before + 1; commit <= before + commits; commit++) {
      for (let row = 0; row < 20; row++) {
        store.put(Uint8Array.of(row), Uint8Array.of(commit & 255));
      }
      environment.commit(new Map([["rows", commit]]));
    }
    const rows = [...store.range(undefined, undefined)].map(([, value]) => value[0]);
    const offset = environment.committedOffset("rows");
    if (close) environment.close({ clean: true });
    port.postMessage({ offset, rows });
  } catch (error) {
    port.postMessage({ error: String((error as Error).stack) });
  }
};
