import { basename } from "node:path";
import { test } from "node:test";
import { assert } from "@std/assert";
import { withTempDir } from "../support/temp_dir.ts";
import { checkFile, scenarioFiles } from "./run.ts";

const files = scenarioFiles(import.meta.dirname!);

for (const file of files) {
  test(`Weir gives what Apache Kafka Streams gave: ${basename(file, ".json")}`, () => {
    const difference = checkFile(file);
    assert(difference === undefined, difference);
  });
  test(`Weir gives the same with its stores on disk: ${basename(file, ".json")}`, () =>
    withTempDir((directory) => {
      const difference = checkFile(file, directory);
      assert(difference === undefined, difference);
    }));
}

test("The scenario files are there", () => {
  assert(files.length >= 80, `${files.length} files`);
});
