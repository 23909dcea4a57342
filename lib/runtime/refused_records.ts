import type { DeliveryFailure, PartitionOffset } from "../kafka/client.ts";
import type { ProduceBatch } from "../kafka/produce_batch.ts";
import type { RecordContext } from "../record/context.ts";
import type { RecordOrigin } from "./origin_ring.ts";

interface Refused {
  readonly origin: RecordOrigin;
  readonly failure: DeliveryFailure;
}

/**
 * Records that the cluster refused within a transaction, and that the handler leaves out: the transaction is aborted, their inputs are processed again,
 * and here they are known when they come again. The source record is in hand then, so that its bytes can go to the dead letter topic.
 */
export class RefusedRecords {
  #entries: Refused[] = [];

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  add(failure: DeliveryFailure, origin: RecordOrigin): void {
    this.#entries.push({ failure, origin });
  }

  /** How the open row of a batch was refused before; undefined when it was not. */
  find(
    batch: ProduceBatch,
    topic: string,
    context: RecordContext,
    nodeName: string,
  ): DeliveryFailure | undefined {
    const row = batch.count;
    const { slab, keyStarts, keyLengths, valueStarts, valueLengths } = batch;
    return this.#entries.find(({ failure, origin }) =>
      failure.topic === topic && origin.nodeName === nodeName && origin.topic === context.topic &&
      origin.partition === context.partition && origin.offset === context.offset &&
      isSame(failure.key, slab, keyStarts[row], keyLengths[row]) &&
      isSame(failure.value, slab, valueStarts[row], valueLengths[row])
    )?.failure;
  }

  /** Forgets what stands before committed offsets: it does not come again. */
  forget(committed: readonly PartitionOffset[]): void {
    this.#entries = this.#entries.filter(({ origin }) =>
      !committed.some(({ topic, partition, offset }) =>
        topic === origin.topic && partition === origin.partition && offset > origin.offset
      )
    );
  }
}

/** Whether these bytes are those that lie in a slab; a negative length is null. */
function isSame(
  bytes: Uint8Array | null,
  slab: Uint8Array,
  start: number,
  length: number,
): boolean {
  if (bytes === null || length < 0) return bytes === null && length < 0;
  if (bytes.length !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[i] !== slab[start + i]) return false;
  return true;
}
