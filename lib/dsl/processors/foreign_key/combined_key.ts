import { ByteWriter, cutCopy, readInt32 } from "../../../record/bytes.ts";
import type { Serde, SerdeSite } from "../../../serde/serde.ts";
import type { ProcessingContext } from "../../../topology/processor.ts";

/** A subscription's key: the right row it is for, and the left row that subscribes. Kafka Streams: `CombinedKey`. */
export class CombinedKey<KRight, KLeft> {
  /** Null: the left row has no foreign key, and the left join answers it with null. */
  readonly foreignKey: KRight | null;
  readonly primaryKey: KLeft;
  constructor(foreignKey: KRight | null, primaryKey: KLeft) {
    this.foreignKey = foreignKey;
    this.primaryKey = primaryKey;
  }
}

/** Options of `CombinedKeySchema`. */
export interface CombinedKeySchemaOptions<KRight, KLeft> {
  /** The subscription topic's name without the application id: the pseudo topics are named after it. */
  readonly subscriptionTopic: string;
  readonly foreignKey: Serde<KRight>;
  readonly primaryKey: Serde<KLeft>;
}

/**
 * The keys of the subscription store: `int32 length of the foreign key | foreign key | primary key`, so that all subscriptions of
 * a right row stand together. Kafka Streams: `CombinedKeySchema`.
 */
export class CombinedKeySchema<KRight, KLeft> {
  readonly #options: CombinedKeySchemaOptions<KRight, KLeft>;
  constructor(options: CombinedKeySchemaOptions<KRight, KLeft>) {
    this.#options = options;
  }
  /** Gives the schema as a task uses it. */
  bind(context: ProcessingContext): BoundCombinedKeySchema<KRight, KLeft> {
    const topic = `${context.applicationId}-${this.#options.subscriptionTopic}`;
    return new BoundCombinedKeySchema(this.#options, topic);
  }
}

/** A schema with the names of its pseudo topics; one for each processor. */
export class BoundCombinedKeySchema<KRight, KLeft> {
  readonly #foreignKey: Serde<KRight>;
  readonly #primaryKey: Serde<KLeft>;
  readonly #foreignKeySite: SerdeSite;
  readonly #primaryKeySite: SerdeSite;
  readonly #writer = new ByteWriter();

  constructor(options: CombinedKeySchemaOptions<KRight, KLeft>, topic: string) {
    this.#foreignKey = options.foreignKey;
    this.#primaryKey = options.primaryKey;
    this.#foreignKeySite = { topic: `${topic}-fk`, isKey: true };
    this.#primaryKeySite = { topic: `${topic}-pk`, isKey: true };
  }

  /** The key of one subscription. */
  toBytes(foreignKey: KRight, primaryKey: KLeft): Uint8Array {
    this.#writePrefix(foreignKey);
    this.#primaryKey.encode(primaryKey, this.#writer, this.#primaryKeySite);
    return this.#writer.copy();
  }

  /** What the keys of all subscriptions of a right row begin with. */
  prefixBytes(foreignKey: KRight): Uint8Array {
    this.#writePrefix(foreignKey);
    return cutCopy(this.#writer.bytes, 0, this.#writer.length);
  }

  #writePrefix(foreignKey: KRight): void {
    const writer = this.#writer;
    writer.reset();
    writer.int32(0);
    this.#foreignKey.encode(foreignKey, writer, this.#foreignKeySite);
    writer.view.setInt32(0, writer.length - 4);
  }

  /** The left row that subscribes. */
  primaryKeyOf(bytes: Uint8Array): KLeft {
    const start = 4 + readInt32(bytes, 0);
    return this.#primaryKey.decode(bytes, start, bytes.length, this.#primaryKeySite);
  }

  /** The whole key. */
  fromBytes(bytes: Uint8Array): CombinedKey<KRight, KLeft> {
    const start = 4 + readInt32(bytes, 0);
    const foreignKey = this.#foreignKey.decode(bytes, 4, start, this.#foreignKeySite);
    return new CombinedKey(foreignKey, this.primaryKeyOf(bytes));
  }
}
