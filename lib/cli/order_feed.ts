import type { GeneratedOrder } from "../../examples/orders/generator.ts";
import { orders } from "../../examples/orders/topics.ts";
import type { KafkaClients, Producer } from "../kafka/client.ts";
import { ProduceBatch } from "../kafka/produce_batch.ts";

const BATCH = 5_000;
const PATIENCE_MS = 30_000;
const SITE = { topic: orders.topic, isKey: false };
const KEY_SITE = { topic: orders.topic, isKey: true };

/** Writes generated orders to their topic, by key. */
export class OrderFeed {
  readonly #producer: Producer;
  readonly #batch = new ProduceBatch(BATCH, 1024 * 1024);
  readonly #topic: number;
  written = 0;

  constructor(clients: KafkaClients, bootstrapServers: string) {
    this.#producer = clients.producer({
      "bootstrap.servers": bootstrapServers,
      "client.id": "order-feed",
      "linger.ms": 5,
    });
    this.#topic = this.#batch.topic(orders.topic);
  }

  /** Writes all of these and waits until the broker has them. */
  async write(generated: Iterable<GeneratedOrder>): Promise<void> {
    for (const each of generated) {
      this.#add(each);
      if (this.#batch.count === BATCH) await this.#send();
    }
    await this.#send();
    await this.#producer.flush(PATIENCE_MS);
    const [failure] = this.#producer.takeFailures();
    if (failure !== undefined) throw failure.error;
  }

  #add({ key, order, corrupt, timestamp }: GeneratedOrder): void {
    const batch = this.#batch;
    batch.beginRow(this.#topic, -1, timestamp, 0);
    orders.key.encode(key, batch.writer, KEY_SITE);
    batch.endKey();
    if (corrupt !== undefined) batch.writer.raw(corrupt);
    else orders.value.encode(order!, batch.writer, SITE);
    batch.endValue();
    batch.endRow();
    this.written++;
  }

  async #send(): Promise<void> {
    const batch = this.#batch;
    let sent = 0;
    while (sent < batch.count) {
      const taken = this.#producer.produce(batch, sent);
      sent += taken;
      if (taken === 0) await this.#producer.wait(100);
    }
    batch.reset();
  }

  close(): Promise<void> {
    return this.#producer.close();
  }
}
