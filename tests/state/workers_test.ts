import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import { temporaryDirectory } from "./support.ts";

interface Answer {
  readonly offset?: number;
  readonly rows?: readonly number[];
  readonly error?: string;
}

/** Starts a Worker, gives it an order and waits for its answer. */
async function work(
  order: { readonly directory: string; readonly commits: number; readonly close: boolean },
): Promise<Answer> {
  const worker = new Worker(new URL("./state_worker.ts", import.meta.url).href, { type: "module" });
  try {
    return await new Promise<Answer>((resolve, reject) => {
      worker.onmessage = (event) => resolve(event.data as Answer);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(order);
    });
  } finally {
    worker.terminate();
  }
}

test("LmdbEnvironments of several Workers commit side by side, each in its own directory", async () => {
  const directory = temporaryDirectory();
  const own = new LmdbEnvironment({ directory: join(directory, "main") });
  const store = own.open("rows");
  store.put(Uint8Array.of(1), Uint8Array.of(1));
  const answers = await Promise.all(
    ["0_0", "0_1", "0_2"].map((task) =>
      work({ directory: join(directory, task), commits: 300, close: true })
    ),
  );
  const rows = Array.from({ length: 20 }, () => 300 & 255);
  for (const answer of answers) assertEquals(answer, { offset: 300, rows });
  own.commit(new Map([["rows", 1]]));
  assertEquals(store.get(Uint8Array.of(1)), Uint8Array.of(1));
  own.close({ clean: true });
  rmSync(directory, { recursive: true, force: true });
});

test("LmdbEnvironment of a task goes from one Worker to the next, even when the first ended without closing it", async () => {
  const directory = temporaryDirectory();
  for (const [i, close] of [true, false, true].entries()) {
    const answer = await work({ directory, commits: 10, close });
    assertEquals(answer.error, undefined);
    assertEquals(answer.offset, 10 * (i + 1));
  }
  rmSync(directory, { recursive: true, force: true });
});
