import type { Committer } from "./committer.ts";
import type { ProducerCollector } from "./producer_collector.ts";
import type { StreamsProducer } from "./streams_producer.ts";

/** The writing side of a thread: its producer, what writes to it, and what commits it. Replaced as one when the producer is fenced. */
export class ThreadOutput {
  readonly #open: () => {
    producer: StreamsProducer;
    collector: ProducerCollector;
    committer: Committer;
  };
  #parts: { producer: StreamsProducer; collector: ProducerCollector; committer: Committer };

  /** @param open makes the parts; called again by `replace` */
  constructor(
    open: () => { producer: StreamsProducer; collector: ProducerCollector; committer: Committer },
  ) {
    this.#open = open;
    this.#parts = open();
  }

  get producer(): StreamsProducer {
    return this.#parts.producer;
  }
  get collector(): ProducerCollector {
    return this.#parts.collector;
  }
  get committer(): Committer {
    return this.#parts.committer;
  }

  /** Gives up the open transaction and everything that was written into it; takes another producer where that is the only way to settle it. */
  async abort(): Promise<void> {
    if (!await this.abandon()) await this.#replace();
  }

  /** Closes the producer, which a fenced one cannot avoid, and opens another. */
  async renew(): Promise<void> {
    await this.abandon();
    await this.#replace();
  }

  /** As `abort`, but where that fails nothing follows: the next producer of the same id settles it. False: it failed. */
  async abandon(): Promise<boolean> {
    this.collector.discard();
    const isSettled = await this.producer.abort();
    this.collector.discard();
    return isSettled;
  }

  async #replace(): Promise<void> {
    await this.producer.producer.close();
    this.#parts = this.#open();
    await this.producer.init();
  }
}
