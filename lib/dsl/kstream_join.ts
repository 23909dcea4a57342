/**
 * Joins of two streams in windows.
 *
 * @module
 */
import { StreamsException } from "../errors.ts";
import type { Serde } from "../serde/serde.ts";
import type { DslStoreSuppliers } from "../state/dsl_suppliers.ts";
import type { StoreBuilder } from "../state/store.ts";
import type { WindowStoreSupplier } from "../state/suppliers.ts";
import type { Topology } from "../topology/topology.ts";
import { type GraphNode, processorNode, type WriteChoices } from "./graph.ts";
import { joinStores } from "./join_stores.ts";
import { checkName, PREFIX } from "./naming.ts";
import { reverseJoiner, type ValueJoiner } from "./processors/functions.ts";
import { PassThrough } from "./processors/kstream_branch.ts";
import { KStreamJoinWindow } from "./processors/kstream_join_window.ts";
import { KStreamKStreamJoin } from "./processors/kstream_kstream_join.ts";
import { KStreamKStreamSelfJoin } from "./processors/kstream_kstream_self_join.ts";
import { TimeTrackerSupplier } from "./processors/time_tracker.ts";
import type { StreamHandle } from "./stream_handle.ts";
import type { KeyNeed, ValueNeed } from "./stream_state.ts";
import type { JoinWindows } from "./windows.ts";

/** What can be said of a stream-stream join whatever is known. */
export interface StreamJoinSettings {
  /** The join's name: its nodes and repartition topics begin with it. */
  readonly name?: string;
  /** What the names of its stores begin with. */
  readonly store?: string;
  readonly thisStore?: WindowStoreSupplier;
  readonly otherStore?: WindowStoreSupplier;
  /** Write changelogs; settings of their topics may be given. Default: true. */
  readonly logging?: boolean | Readonly<Record<string, string>>;
  /** Chooses the stores where no supplier is given. Default: that of the builder. */
  readonly stores?: DslStoreSuppliers;
}

/** How two streams are joined. Kafka Streams: `StreamJoined`. */
export type StreamJoined<State, State2, K, V, R> =
  & StreamJoinSettings
  & KeyNeed<State | State2, K>
  & ValueNeed<State, V>
  & ("value" extends State2 ? { readonly otherValue?: Serde<NonNullable<R>> }
    : { readonly otherValue: Serde<NonNullable<R>> });

/** `StreamJoined` as it is used within. */
export interface StreamJoinOptions extends StreamJoinSettings {
  readonly key?: Serde<any>;
  readonly value?: Serde<any>;
  readonly otherValue?: Serde<any>;
}

/** A join of two streams. */
export interface StreamJoin {
  readonly kind: "inner" | "left" | "outer";
  readonly joiner: ValueJoiner<any, any, any, any>;
  readonly windows: JoinWindows;
  readonly options: StreamJoinOptions;
}

/**
 * Joins two streams, each behind a repartition topic where its key has changed. Kafka Streams: `KStreamImpl.doJoin`, `KStreamImplJoin`.
 *
 * @throws {TopologyException} when a serde is not known
 * @throws {StreamsException} when given stores do not fit the windows
 */
export function joinStream(
  left: StreamHandle,
  right: StreamHandle,
  join: StreamJoin,
): StreamHandle {
  const { plan } = left;
  const { windows, options } = join;
  const { name } = options;
  if (windows?.kind !== "join") {
    throw new TypeError(
      `Cannot join streams as the windows must be made by within: current value is ${windows}`,
    );
  }
  if (name !== undefined) checkName(name);
  const key = options.key ?? left.key ?? right.key;
  const isNamed = name !== undefined;
  const placedLeft = left.repartitionRequired
    ? left.repartitionForJoin(isNamed ? `${name}-left` : left.name, {
      key,
      value: options.value,
      isNamed,
    })
    : left;
  const placedRight = right.repartitionRequired
    ? right.repartitionForJoin(isNamed ? `${name}-right` : right.name, {
      key,
      value: options.otherValue,
      isNamed,
    })
    : right;
  const sources = plan.copartition(placedLeft.sources, placedRight.sources);
  const node = planJoin(placedLeft, placedRight, { ...join, options: { ...options, key } });
  return placedLeft.with({
    name: node.name,
    node,
    sources,
    key,
    value: undefined,
    repartitionRequired: false,
  });
}

function planJoin(left: StreamHandle, right: StreamHandle, join: StreamJoin): GraphNode {
  const { plan } = left;
  const { kind, windows, joiner, options } = join;
  const { name } = options;
  const isLeftOuter = kind !== "inner";
  const isRightOuter = kind === "outer";
  const thisSuffix = isRightOuter ? "-outer-this-join" : "-this-join";
  const otherSuffix = isLeftOuter ? "-outer-other-join" : "-other-join";
  const thisWindowed = plan.suffixedOr(name, "-this-windowed", PREFIX.windowed);
  const otherWindowed = plan.suffixedOr(name, "-other-windowed", PREFIX.windowed);
  const generatedThis = plan.generate(isRightOuter ? PREFIX.outerThis : PREFIX.joinThis);
  const generatedOther = plan.generate(isLeftOuter ? PREFIX.outerOther : PREFIX.joinOther);
  const thisName = isNamed(name) ? name + thisSuffix : generatedThis;
  const otherName = isNamed(name) ? name + otherSuffix : generatedOther;
  const mergeName = plan.suffixedOr(name, "-merge", PREFIX.merge);

  const stores = joinStores(plan, {
    kind,
    windows,
    options,
    key: plan.keySerde(options.key, mergeName),
    value: plan.valueSerde(options.value ?? left.value, mergeName),
    otherValue: plan.valueSerde(options.otherValue ?? right.value, mergeName, "otherValue"),
    names: { generatedThis, generatedOther, thisSuffix, otherSuffix },
  });
  plan.add(windowNode(thisWindowed, stores.thisStore), left.node);
  plan.add(windowNode(otherWindowed, stores.otherStore), right.node);

  const timeTracker = new TimeTrackerSupplier();
  const { outerStore } = stores;
  const node = joinNode({
    traits: {
      acceptsNullKeys: isLeftOuter,
      streamJoin: { thisWindowed, otherWindowed },
    },
    thisSide: processorNode(
      thisName,
      new KStreamKStreamJoin<any, any, any, any>({
        side: "left",
        windows,
        joiner,
        outer: isLeftOuter,
        timeTracker,
        otherStore: stores.otherStore,
        outerStore,
      }),
    ),
    otherSide: processorNode(
      otherName,
      new KStreamKStreamJoin<any, any, any, any>({
        side: "right",
        windows,
        joiner: reverseJoiner(joiner),
        outer: isRightOuter,
        timeTracker,
        otherStore: stores.thisStore,
        outerStore,
      }),
    ),
    merge: processorNode(mergeName, new PassThrough()),
    selfJoin: processorNode(
      mergeName,
      new KStreamKStreamSelfJoin<any, any, any>({ windows, joiner, store: stores.thisStore }),
    ),
  });
  plan.add(node, left.node, right.node);
  return node;
}

function isNamed(name: string | undefined): name is string {
  return name !== undefined;
}

/** Keeps one side's records. Kafka Streams: `WindowedStreamProcessorNode`. */
function windowNode(name: string, store: StoreBuilder): GraphNode {
  return processorNode(name, new KStreamJoinWindow({ store }));
}

/** Kafka Streams: `StreamStreamJoinNode`. */
function joinNode(parts: {
  readonly traits: GraphNode["traits"];
  readonly thisSide: GraphNode;
  readonly otherSide: GraphNode;
  readonly merge: GraphNode;
  readonly selfJoin: GraphNode;
}): GraphNode {
  const { traits, thisSide, otherSide, merge, selfJoin } = parts;
  const windows = traits.streamJoin;
  if (windows === undefined) throw new StreamsException("Cannot plan a join without windows");
  return Object.freeze({
    name: merge.name,
    traits,
    write(topology: Topology, choices: WriteChoices) {
      const behind = (...parents: string[]): WriteChoices => ({ ...choices, parents });
      if (choices.selfJoin) {
        selfJoin.write(topology, behind(windows.thisWindowed));
        return;
      }
      thisSide.write(topology, behind(windows.thisWindowed));
      otherSide.write(topology, behind(windows.otherWindowed));
      merge.write(topology, behind(thisSide.name, otherSide.name));
    },
  });
}
