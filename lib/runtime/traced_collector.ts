import type { RecordContext } from "../record/context.ts";
import type { Headers } from "../record/headers.ts";
import type { Serde } from "../serde/serde.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import { ProducerCollector, type ProducerCollectorOptions } from "./producer_collector.ts";
import type { DeadLetter, Destination } from "./record_collector.ts";

/**
 * A collector whose records carry a trace. A class of its own, chosen when the thread starts, so that without tracing nothing is asked for each record.
 * Changelogs are not traced: they are state.
 */
export class TracedCollector extends ProducerCollector {
  readonly #tracing: Tracing;

  constructor(options: ProducerCollectorOptions, tracing: Tracing) {
    super(options);
    this.#tracing = tracing;
  }

  override send<K, V>(
    destination: Destination,
    key: K | null,
    value: V | null,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    timestamp: number,
    headers: Headers,
    partition: number,
    context: RecordContext,
    nodeName: string,
    taskId: string,
  ): void {
    const sent = this.#tracing.inject(headers, destination.topic);
    super.send(
      destination,
      key,
      value,
      keySerde,
      valueSerde,
      timestamp,
      sent,
      partition,
      context,
      nodeName,
      taskId,
    );
  }

  override deadLetter(letter: DeadLetter): void {
    super.deadLetter({ ...letter, headers: this.#tracing.inject(letter.headers, letter.topic) });
  }
}
