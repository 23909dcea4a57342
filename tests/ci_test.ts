import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { repositoryRoot, run } from "./support/spawn.ts";

interface Step {
  readonly run?: string;
  readonly uses?: string;
}
interface Workflow {
  readonly on: Record<string, unknown>;
  readonly jobs: Record<string, { "runs-on": string; needs?: string; steps: readonly Step[] }>;
}

const read = (file: string) => readFileSync(join(repositoryRoot, file), "utf8");
const workflow = parse(read(".github/workflows/ci.yaml")) as Workflow;

test("The workflow tests, builds and makes an image, in that order", () => {
  assertEquals(Object.keys(workflow.jobs), ["format", "test", "image"]);
  assertEquals(workflow.jobs.image.needs, "test");
  assert(workflow.jobs.test.steps.some((step) => step.run === ".ci/run"));
  assert(
    workflow.jobs.image.steps.some((step) => step.uses?.startsWith("docker/build-push-action")),
  );
  assert("push" in workflow.on && "pull_request" in workflow.on);
});

test("Each step of the workflow runs a command or a pinned action", () => {
  for (const job of Object.values(workflow.jobs)) {
    for (const step of job.steps) {
      assert((step.run === undefined) !== (step.uses === undefined));
      assert(step.uses === undefined || /@v\d+/.test(step.uses), step.uses);
    }
  }
});

test(".ci/run is a valid script that may be executed", async () => {
  assert((statSync(join(repositoryRoot, ".ci/run")).mode & 0o111) !== 0);
  await run("bash", ["-n", ".ci/run"]);
});

test(".ci/run and the workflow use the same Deno as the README", () => {
  const [version] = read("README.md").match(/deno@[\d.]+/) ?? [];
  assert(version !== undefined);
  for (const file of [".ci/run", ".github/workflows/ci.yaml"]) {
    const others = [...read(file).matchAll(/deno@[\d.]+/g)].filter(([found]) => found !== version);
    assertEquals(others, []);
    assertStringIncludes(read(file), version);
  }
});

test("What the workflow builds an image from is there", () => {
  assert(existsSync(join(repositoryRoot, "Containerfile")));
});
