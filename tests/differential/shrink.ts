/** Makes a failing scenario smaller: as few records, stores and steps as still differ. */
import type { Scenario, Step } from "../conformance/scenario.ts";

/** Tries smaller scenarios in batches until none of them fails; gives the smallest that does. */
export async function shrink<S extends Scenario>(
  failing: S,
  whichFail: (candidates: readonly S[]) => Promise<readonly S[]>,
  rounds = 40,
): Promise<S> {
  let smallest = failing;
  for (let round = 0; round < rounds; round++) {
    const candidates = smaller(smallest);
    if (candidates.length === 0) break;
    const still = await whichFail(candidates);
    if (still.length === 0) break;
    smallest = still.reduce((a, b) => size(a) <= size(b) ? a : b);
  }
  return smallest;
}

function size(scenario: Scenario): number {
  return scenario.inputs.length + 3 * scenario.topology.length;
}

function smaller<S extends Scenario>(scenario: S): S[] {
  const { inputs, topology } = scenario;
  const candidates: S[] = [];
  for (let length = inputs.length >> 1; length >= 1; length >>= 1) {
    for (let at = 0; at + length <= inputs.length; at += length) {
      candidates.push({
        ...scenario,
        inputs: [...inputs.slice(0, at), ...inputs.slice(at + length)],
      });
    }
    if (candidates.length > 60) break;
  }
  for (const step of topology) {
    const without = removeStep(topology, step);
    if (without !== undefined) {
      candidates.push({
        ...scenario,
        topology: without,
        stores: storesOf(without, scenario.stores),
      });
    }
  }
  return candidates;
}

/** The topology without a step and all that hangs on it; undefined when no output would be left. */
function removeStep(topology: readonly Step[], removed: Step): Step[] | undefined {
  const gone = new Set<string>(idsOf(removed));
  const left: Step[] = [];
  for (const step of topology) {
    if (step === removed || gone.has(step.from) || gone.has(step.with)) {
      idsOf(step).forEach((id) => gone.add(id));
    } else left.push(step);
  }
  return left.some((step) => step.op === "to") ? left : undefined;
}

function idsOf(step: Step): string[] {
  const branches: { id: string }[] = [
    ...step.branches ?? [],
    ...(step.default ? [step.default] : []),
  ];
  return [...(step.id === undefined ? [] : [step.id as string]), ...branches.map((b) => b.id)];
}

function storesOf(topology: readonly Step[], stores: readonly string[] | undefined): string[] {
  const named = new Set(topology.map((step) => step.store));
  return (stores ?? []).filter((store) => named.has(store));
}
