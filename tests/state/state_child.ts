// A process of its own for the tests of crashes and locks: `<what> <directory>`, answers on standard output.
import process from "node:process";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import { UnsavedBudget } from "../../lib/state/unsaved_budget.ts";
import { StateDirectory } from "../../lib/state/state_directory.ts";

const [what, directory] = process.argv.slice(2);
const number = (value: number) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
};

/** Holds the lock until it is killed. */
function lock(): void {
  new StateDirectory({ stateDir: directory, applicationId: "app" }).lock();
  console.log("locked");
}

/** Commits transactions of 50 rows for ever; each row says which, in each of two stores, and so does the position. */
function commitForEver(unsaved: UnsavedBudget, lean: boolean): void {
  const environment = new LmdbEnvironment({ directory, unsaved });
  const [a, b] = [environment.open("a", { lean }), environment.open("b")];
  const last = environment.committedOffset("a") ?? 0;
  console.log(`from ${last}`);
  let transaction = last;
  const step = () => {
    for (let i = 0; i < 20; i++) {
      transaction++;
      for (let row = 0; row < 50; row++) {
        a.put(number(row), number(transaction));
        b.put(number(row), number(transaction));
      }
      environment.commit(new Map([["a", transaction], ["b", transaction]]));
      if (transaction % 100 === 0) console.log(`committed ${transaction}`);
    }
    // Writes that nobody commits must never be seen.
    a.put(number(0), number(-1));
    environment.rollback();
    a.put(number(0), number(-2));
    setTimeout(step, 0);
  };
  step();
}

/** Commits once, writes more, and waits to be killed. */
function putAfterCommit(): void {
  const environment = new LmdbEnvironment({
    directory,
    unsaved: new UnsavedBudget({ maxBytes: 0 }),
  });
  const store = environment.open("a");
  store.put(number(1), number(1));
  environment.commit(new Map([["a", 1]]));
  store.put(number(1), number(2));
  store.put(number(2), number(2));
  console.log("written");
}

if (what === "lock") lock();
else if (what === "commit-for-ever") commitForEver(new UnsavedBudget({ maxBytes: 0 }), false);
else if (what === "commit-and-wait") {
  // A lean store keeps each write until it is saved: some hundred commits fill this.
  commitForEver(new UnsavedBudget({ maxBytes: 200_000 }), true);
} else putAfterCommit();
setInterval(() => {}, 1_000);
