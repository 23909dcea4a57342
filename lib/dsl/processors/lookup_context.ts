import { StreamsException } from "../../errors.ts";
import type { RecordMetadata } from "../../record/context.ts";
import type { ProcessingContext } from "../../topology/processor.ts";
import { ContextDelegate } from "./context_delegate.ts";

/**
 * The context of a table's transformer: everything but forwarding, which would break the row's one value.
 * Kafka Streams: `ForwardingDisabledProcessorContext`.
 */
export class LookupContext extends ContextDelegate<ProcessingContext> {
  /** While a row is only looked up, there is no record in hand. */
  isLookup = false;

  /** @throws {StreamsException} always: a transformer gives its one result back */
  forward(): never {
    throw new StreamsException(
      `Cannot forward from ${this.processorName} as a value transformer gives its one result back: current value is a call of forward()`,
    );
  }
  override recordMetadata(): RecordMetadata | undefined {
    return this.isLookup ? undefined : super.recordMetadata();
  }
}
