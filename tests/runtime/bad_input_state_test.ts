// A state directory that is held already, by another application of this process; by another process: tests/cli/bad_input_test.ts.
import { after, before, test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { LockException } from "../../lib/errors.ts";
import { newTopic, unique } from "../kafka/subject.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { log, readUntil } from "./application.ts";
import { embeddedSubject, realApplication, writeRaw } from "./bad_input.ts";
import { counting } from "./counting.ts";

let subject: ReturnType<typeof embeddedSubject>;
before(() => {
  subject = embeddedSubject();
});
after(() => subject.close());

test("A second application of one process does not take the first one's state directory, nor give it away", () =>
  log.printOnFailure(() =>
    withTempDir(async (dir) => {
      const from = await newTopic(subject, "from", 1);
      const to = await newTopic(subject, "to", 1);
      const all = { "application.id": unique("held") };
      const make = () => realApplication(subject, counting(from, to), dir, all);
      const first = make();
      await first.start();
      for (let attempt = 0; attempt < 2; attempt++) {
        const second = make();
        await assertRejects(
          () => second.start(),
          LockException,
          `Cannot use the state directory as another application of this process holds it: current value is ${
            join(dir, all["application.id"])
          }. Stop that application, or give this one its own state.dir`,
        );
        assertEquals(second.state, "PENDING_ERROR");
        await second.close();
        assertEquals(second.state, "ERROR");
      }
      await writeRaw(subject, from, [{ key: "a", value: "1" }]);
      await readUntil(subject, to, 1, (rows) => rows.length >= 1);
      assert(await first.close());
      const third = make();
      await third.start();
      await writeRaw(subject, from, [{ key: "a", value: "2" }]);
      const rows = await readUntil(subject, to, 1, (r) => r.length >= 2);
      assertEquals(rows.map((r) => r.value), ["1", "2"]);
      assert(await third.close());
    })
  ));
