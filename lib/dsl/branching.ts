/**
 * `split`: the parting of a stream, step by step as in Kafka Streams, or at once by named tests.
 *
 * @module
 */
import { TopologyException } from "../errors.ts";
import { mayHaveFunction } from "./checks.ts";
import type { GraphNode } from "./graph.ts";
import { processorNode } from "./graph.ts";
import { KStream, type Named } from "./kstream.ts";
import { checkName, PREFIX } from "./naming.ts";
import type { Predicate } from "./processors/functions.ts";
import { KStreamBranch, PassThrough } from "./processors/kstream_branch.ts";
import type { StreamHandle } from "./stream_handle.ts";
import type { StreamOf, StreamState } from "./stream_state.ts";

/** The branch that takes what no other one accepts; it has to be the last. */
export const otherwise: unique symbol = Symbol("otherwise");

/** Tests by the names of their branches. */
export type BranchTests<K, V> = Readonly<Record<string, Predicate<K, V> | typeof otherwise>>;

/** The branches of named tests; a type guard narrows its branch's values. */
export type NamedBranches<K, V, State extends StreamState, B> = {
  readonly [Name in keyof B]: KStream<
    K,
    B[Name] extends (value: any, key: any) => value is infer V2 ? V2 & V : V,
    State
  >;
};

/** What becomes of a branch. Kafka Streams: `Branched`. */
export interface Branched<K, V, State extends StreamState> {
  /** The branch's node is called by the splitter's name and this; without it by its number, 0 for the default branch. */
  readonly name?: string;
  /** Goes on with the branch at once; what it gives stands in the result, nothing when it gives nothing. */
  readonly then?: (stream: KStream<K, V, State>) => StreamOf<any, any> | void;
}

/** A stream that is being parted. Kafka Streams: `BranchedKStream`. */
export class BranchedKStream<K, V, State extends StreamState> {
  readonly #source: StreamHandle;
  readonly #splitterName: string;
  readonly #splitter: GraphNode;
  /** Read by the processor when the topology is built, after the last branch. */
  readonly #predicates: Predicate<K, V>[] = [];
  readonly #childNames: string[] = [];
  readonly #branches: Record<string, KStream<any, any, any>> = {};
  #isComplete = false;

  constructor(source: StreamHandle, name: string | undefined) {
    const { plan } = source;
    this.#source = source;
    this.#splitterName = plan.nameOr(name, PREFIX.branch);
    const supplier = new KStreamBranch<K, V>({
      predicates: this.#predicates,
      childNames: this.#childNames,
    });
    this.#splitter = processorNode(this.#splitterName, supplier);
    plan.add(this.#splitter, source.node);
  }

  /** Adds a branch for what the predicate accepts and no branch before it did. */
  branch(predicate: Predicate<K, V>, branched: Branched<K, V, State> = {}): this {
    if (typeof predicate !== "function") {
      throw new TypeError(
        `Cannot add a branch as it needs a predicate: current value is ${predicate}`,
      );
    }
    this.#refuseComplete();
    mayHaveFunction("branch", "then", branched.then);
    this.#predicates.push(predicate);
    this.#add(branched, this.#predicates.length);
    return this;
  }

  /** Adds a branch for the rest, and gives all branches by the names of their nodes. */
  defaultBranch(
    branched: Branched<K, V, State> = {},
  ): Readonly<Record<string, KStream<any, any, any>>> {
    this.#refuseComplete();
    mayHaveFunction("defaultBranch", "then", branched.then);
    this.#add(branched, 0);
    this.#isComplete = true;
    return this.#branches;
  }

  /** Drops the rest, and gives all branches by the names of their nodes. */
  noDefaultBranch(): Readonly<Record<string, KStream<any, any, any>>> {
    this.#isComplete = true;
    return this.#branches;
  }

  #refuseComplete(): void {
    if (this.#isComplete) {
      throw new TopologyException(
        `Cannot add a branch to ${this.#splitterName} as the default branch is the last: current value is one branch more`,
      );
    }
  }

  #add(branched: Branched<K, V, State>, index: number): void {
    const { plan } = this.#source;
    const name = this.#splitterName + (branched.name ?? String(index));
    if (branched.name !== undefined) checkName(name);
    this.#childNames.push(name);
    plan.generate(name); // the number is used up, the name is not
    const node = processorNode(name, new PassThrough());
    plan.add(node, this.#splitter);
    const stream = new KStream<K, V, State>(this.#source.with({ name, node }));
    const kept = branched.then === undefined ? stream : branched.then(stream);
    if (kept instanceof KStream) this.#branches[name] = kept;
  }
}

/** Either form of `split`; see there. */
export function split(
  stream: KStream<any, any, any>,
  first: BranchTests<any, any> | Named,
  options: Named,
): BranchedKStream<any, any, any> | Record<string, KStream<any, any, any>> {
  if (!isTests(first)) return new BranchedKStream(stream.handle, first.name);
  const names = Object.keys(first);
  const last = names.length - 1;
  const streams: Record<string, KStream<any, any, any>> = {};
  const splitter = new BranchedKStream<any, any, any>(stream.handle, options.name);
  names.forEach((name, index) => {
    const test = first[name];
    const branched = {
      name: `-${name}`,
      then: (branch: KStream<any, any, any>) => void (streams[name] = branch),
    };
    if (test !== otherwise) splitter.branch(test, branched);
    else if (index === last) splitter.defaultBranch(branched);
    else {
      throw new TopologyException(
        `Cannot split a stream as the branch that takes the rest must be the last: current value is ${name} before ${
          names[last]
        }`,
      );
    }
  });
  return streams;
}

function isTests(first: BranchTests<any, any> | Named): first is BranchTests<any, any> {
  return Object.values(first).some((v) => typeof v === "function" || v === otherwise);
}
