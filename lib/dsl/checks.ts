/**
 * What steps check of their arguments before they note anything: plain JavaScript, and `any`, pass by the compiler.
 *
 * @module
 */
import { TopologyException } from "../errors.ts";
import type { Plan } from "./plan.ts";

/** @throws {TypeError} when one of a step's functions, by their names, is none */
export function needFunctions(step: string, functions: Readonly<Record<string, unknown>>): void {
  for (const [what, value] of Object.entries(functions)) {
    if (typeof value === "function") continue;
    throw new TypeError(
      `Cannot add the step ${step} as it needs the function ${what}: current value is ${value}`,
    );
  }
}

/** As `needFunctions`, for a function that may be left out. */
export function mayHaveFunction(step: string, what: string, value: unknown): void {
  if (value !== undefined) needFunctions(step, { [what]: value });
}

/**
 * Both sides of a step have to be of one builder: the other's steps would be missing in the topology.
 *
 * @throws {TopologyException} when they are not
 */
export function needSamePlan(step: string, plan: Plan, other: Plan): void {
  if (plan === other) return;
  throw new TopologyException(
    `Cannot add the step ${step} as both sides must come from one builder: current value is two builders. Make both by the same StreamsBuilder`,
  );
}
