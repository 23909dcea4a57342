import type { RecordMetadata } from "../../../lib/record/context.ts";
import type { StreamRecord } from "../../../lib/record/record.ts";
import type { Serde } from "../../../lib/serde/serde.ts";
import type { DropReason, StateStore } from "../../../lib/state/store.ts";
import type {
  Cancellable,
  ProcessorContext,
  PunctuationType,
} from "../../../lib/topology/processor.ts";

/** A processor's context that keeps what is forwarded and dropped. Kafka Streams: `MockProcessorContext`. */
export class FakeContext implements ProcessorContext<any, any> {
  readonly applicationId = "app";
  readonly taskId = "0_1";
  readonly processorName = "PROCESSOR";
  readonly stateDir = "/nowhere";
  readonly keySerde: Serde<unknown> | undefined = undefined;
  readonly valueSerde: Serde<unknown> | undefined = undefined;
  readonly forwarded: StreamRecord<any, any>[] = [];
  readonly children: (string | undefined)[] = [];
  readonly drops: DropReason[] = [];
  readonly stores = new Map<string, StateStore>();
  readonly settings: Record<string, number> = {};
  readonly metadata = new Map<string, number>();
  metadataOfRecord: RecordMetadata | undefined = { topic: "in", partition: 4, offset: 7 };
  now = 0;

  forward(record: StreamRecord<any, any>, childName?: string): void {
    this.forwarded.push(record);
    this.children.push(childName);
  }
  /** What was forwarded since the last call, as `[key, value, timestamp]`. */
  take(): [unknown, unknown, number][] {
    return this.forwarded.splice(0).map((r) => [r.key, r.value, r.timestamp]);
  }
  getStateStore<S extends StateStore>(name: string): S {
    const store = this.stores.get(name);
    if (store === undefined) throw new Error(`no store ${name}`);
    return store as S;
  }
  schedule(_ms: number, _type: PunctuationType, _callback: (t: number) => void): Cancellable {
    throw new Error("nothing is scheduled here");
  }
  commit(): void {}
  recordMetadata(): RecordMetadata | undefined {
    return this.metadataOfRecord;
  }
  currentStreamTimeMs(): number {
    return 0;
  }
  currentSystemTimeMs(): number {
    return this.now;
  }
  appConfigs(): Readonly<Record<string, unknown>> {
    return this.settings;
  }
  dropped(reason: DropReason): void {
    this.drops.push(reason);
  }
  setting(key: string): number | undefined {
    return this.settings[key];
  }
  processorMetadata(key: string): number | undefined {
    return this.metadata.get(key);
  }
  setProcessorMetadata(key: string, value: number): void {
    this.metadata.set(key, value);
  }
  pauseSources(): void {}
}
