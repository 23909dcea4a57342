import type { StreamRecord } from "../record/record.ts";
import type { StateStore } from "../state/store.ts";
import type { ProcessorContext } from "../topology/processor.ts";
import { ContextDelegate } from "./processors/context_delegate.ts";

/** A processor's context with its stores by name. */
export class StoresContext extends ContextDelegate<ProcessorContext<any, any>>
  implements ProcessorContext<any, any> {
  readonly stores: any;

  constructor(
    context: ProcessorContext<any, any>,
    stores: Readonly<Record<string, StateStore>>,
  ) {
    super(context);
    this.stores = stores;
  }
  forward(record: StreamRecord<any, any>, childName?: string): void {
    this.inner.forward(record, childName);
  }
}
