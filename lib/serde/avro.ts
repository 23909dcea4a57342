import { Buffer } from "node:buffer";
import { SchemaPending, SerializationException } from "../errors.ts";
import type { ByteWriter } from "../record/bytes.ts";
import type { Headers } from "../record/headers.ts";
import { type AvroType, avroTypeOf, type AvroTypeOptions } from "./avro_types.ts";
import { describeSite } from "./primitives.ts";
import type { RegisteredSchema, SchemaRegistry } from "./registry.ts";
import type { Serde, SerdeEnvironment, SerdeSite } from "./serde.ts";
import { SUBJECT_STRATEGIES, type SubjectNameStrategy } from "./subject_names.ts";
import { SchemaIds } from "./schema_ids.ts";

/** An Avro schema as JSON, or its text. */
export type AvroSchema = object | string;

/** How Avro values are written and read. */
export interface AvroOptions extends AvroTypeOptions {
  /** The registry; without one the application's (`schema.registry.url`). */
  readonly registry?: SchemaRegistry;
  /** A fixed id in Confluent's wire format: no registry is asked, and only this id is read. */
  readonly schemaId?: number;
  /** `plain` is Avro's binary form alone, without magic byte and id. Default `confluent`. */
  readonly format?: "confluent" | "plain";
  /** How the subject is named. Default `topicName`: `<topic>-key` or `<topic>-value`. */
  readonly subjectNameStrategy?: SubjectNameStrategy;
  /** Whether an unknown schema is registered (default), or must be there already. */
  readonly autoRegisterSchemas?: boolean;
  /** Where the schema's id goes: before the payload (default), or as a GUID in a header. Both are always read. */
  readonly schemaIdIn?: "prefix" | "header";
}

const MAGIC_ID = 0;
const MAGIC_GUID = 1;
const HEADER_NAMES = ["__value_schema_id", "__key_schema_id"] as const;

/**
 * Avro with the schema of the reader; what was written with another version is resolved to it (new fields take their defaults, removed ones are
 * left out). In Confluent's wire format, so that any Confluent client reads it. 64-bit integers are `bigint` unless `long: "number"`.
 *
 * @example
 * ```ts
 * const orders = topic("orders", { key: string(), value: avro<Order>(ORDER_SCHEMA) });
 * ```
 * @throws {TypeError} when the schema is not valid Avro
 */
export function avro<T = unknown>(schema: AvroSchema, options: AvroOptions = {}): Serde<T> {
  return new AvroSerde<T>(schema, options);
}

class AvroSerde<T> implements Serde<T> {
  readonly name: string;
  readonly #options: AvroOptions;
  readonly #type: AvroType;
  readonly #registered: RegisteredSchema;
  readonly #ids: SchemaIds;
  /** Resolvers from a writer's schema, by id or GUID; undefined where it is the reader's own. */
  readonly #resolvers = new Map<number | string, AvroType | undefined>();
  // The last slab and the last writer memory as Buffers: avsc reads only Buffers, and making one per record would cost more than the decoding.
  #slab: Uint8Array | undefined;
  #slabBuffer: Buffer = Buffer.alloc(0);
  #target: Uint8Array | undefined;
  #targetBuffer: Buffer = Buffer.alloc(0);
  #lastId = -1;
  #lastResolver: AvroType | undefined;

  constructor(schema: AvroSchema, options: AvroOptions) {
    const parsed = typeof schema === "string" ? JSON.parse(schema) : schema;
    this.#options = options;
    this.#type = avroTypeOf(parsed, options);
    this.name = `avro(${this.#type.name ?? this.#type.typeName})`;
    this.#registered = { schema: JSON.stringify(parsed), schemaType: "AVRO", references: [] };
    this.#ids = new SchemaIds(this.#registered, options.registry);
    if (options.schemaId !== undefined) this.#resolvers.set(options.schemaId, undefined);
  }

  bind(environment: SerdeEnvironment): void {
    this.#ids.bind(environment.registry);
  }

  async prepare(site: SerdeSite): Promise<void> {
    if (this.#needsRegistry) {
      await this.#ids.prepare(this.#subject(site), this.#options.autoRegisterSchemas ?? true);
    }
  }

  get #needsRegistry(): boolean {
    return this.#options.format !== "plain" && this.#options.schemaId === undefined;
  }

  #subject(site: SerdeSite): string {
    const strategy = this.#options.subjectNameStrategy ?? "topicName";
    return SUBJECT_STRATEGIES[strategy](site, this.#type.name ?? this.#type.typeName);
  }

  #idFor(site: SerdeSite): number {
    return this.#options.schemaId ??
      this.#ids.idFor(site, () => this.#subject(site), this.#options.autoRegisterSchemas ?? true);
  }

  encode(value: T, out: ByteWriter, site: SerdeSite): void {
    const start = out.length;
    if (this.#options.format !== "plain" && this.#options.schemaIdIn !== "header") {
      const id = this.#idFor(site);
      out.uint8(MAGIC_ID);
      out.int32(id);
    }
    try {
      this.#write(value, out);
    } catch (cause) {
      out.length = start;
      throw new SerializationException(
        `Cannot write ${describeSite(site)} as ${this.name}: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  #write(value: T, out: ByteWriter): void {
    for (let room = 64;; room *= 4) {
      const at = out.reserve(room);
      out.length = at;
      if (out.bytes !== this.#target) {
        this.#target = out.bytes;
        this.#targetBuffer = Buffer.from(out.bytes.buffer, out.bytes.byteOffset, out.bytes.length);
      }
      // A negative result says how many bytes are missing.
      const end = this.#type.encode(value, this.#targetBuffer, at);
      if (end >= 0) {
        out.length = end;
        return;
      }
      room = Math.max(room, (out.bytes.length - at - end) / 4);
    }
  }

  headersOf(_value: T, site: SerdeSite, headers: Headers): Headers {
    if (this.#options.schemaIdIn !== "header") return headers;
    const guid = this.#ids.guidFor(site, () => this.#subject(site));
    const bytes = new Uint8Array(17);
    bytes[0] = MAGIC_GUID;
    bytes.set(Buffer.from(guid.replaceAll("-", ""), "hex"), 1);
    return headers.add(HEADER_NAMES[site.isKey ? 1 : 0], bytes);
  }

  decode(bytes: Uint8Array, start: number, end: number, site: SerdeSite, headers?: Headers): T {
    let at = start;
    let resolver: AvroType | undefined;
    if (this.#options.format !== "plain") {
      const guid = headers === undefined || headers.size === 0 ? undefined : guidIn(headers, site);
      if (guid !== undefined) resolver = this.#resolverFor(guid, site);
      else {
        const id = readMagic(bytes, start, end, site);
        at = start + 5;
        if (id === this.#lastId) resolver = this.#lastResolver;
        else {
          resolver = this.#resolverFor(id, site);
          this.#lastId = id;
          this.#lastResolver = resolver;
        }
      }
    }
    if (bytes !== this.#slab) {
      this.#slab = bytes;
      this.#slabBuffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    let decoded: { value: T; offset: number };
    try {
      decoded = this.#type.decode(this.#slabBuffer, at, resolver as never);
    } catch (cause) {
      throw new SerializationException(
        `Cannot read ${describeSite(site)} as ${this.name}: ${(cause as Error).message}`,
        { cause },
      );
    }
    if (decoded.offset !== end) throw wrongLength(decoded.offset, start, end, site, this.name);
    return decoded.value;
  }

  /** @throws {SchemaPending} while the writer's schema is on its way */
  #resolverFor(id: number | string, site: SerdeSite): AvroType | undefined {
    if (this.#resolvers.has(id)) return this.#resolvers.get(id);
    if (this.#options.schemaId !== undefined) {
      throw new SerializationException(
        `Cannot read ${
          describeSite(site)
        } as ${this.name} as only the schema id ${this.#options.schemaId} is known: current value is ${id}`,
      );
    }
    const schema = this.#ids.schemaOf(id, site);
    if (schema instanceof Promise) {
      throw new SchemaPending(`The schema ${id} is being fetched`, schema);
    }
    const resolver = this.#resolve(schema, id, site);
    this.#resolvers.set(id, resolver);
    return resolver;
  }

  #resolve(writer: RegisteredSchema, id: number | string, site: SerdeSite): AvroType | undefined {
    try {
      const parsed = JSON.parse(writer.schema);
      if (JSON.stringify(parsed) === this.#registered.schema) return undefined;
      return this.#type.createResolver(avroTypeOf(parsed, this.#options)) as unknown as AvroType;
    } catch (cause) {
      throw new SerializationException(
        `Cannot read ${
          describeSite(site)
        } as ${this.name} as the writer's schema ${id} does not resolve to it: ${
          (cause as Error).message
        }`,
        { cause },
      );
    }
  }
}

function readMagic(bytes: Uint8Array, start: number, end: number, site: SerdeSite): number {
  if (end - start < 5 || bytes[start] !== MAGIC_ID) {
    throw new SerializationException(
      `Cannot read ${
        describeSite(site)
      } as Avro as it must begin with the magic byte 0 and a schema id of 4 bytes: current value is ${
        end - start
      } bytes${end > start ? ` that begin with ${bytes[start]}` : ""}`,
    );
  }
  return ((bytes[start + 1] << 24) | (bytes[start + 2] << 16) | (bytes[start + 3] << 8) |
    bytes[start + 4]) >>> 0;
}

function guidIn(headers: Headers, site: SerdeSite): string | undefined {
  const value = headers.last(HEADER_NAMES[site.isKey ? 1 : 0]);
  if (!value || value.length !== 17 || value[0] !== MAGIC_GUID) return undefined;
  const hex = Buffer.from(value.subarray(1)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${
    hex.slice(20)
  }`;
}

function wrongLength(
  offset: number,
  start: number,
  end: number,
  site: SerdeSite,
  name: string,
): SerializationException {
  const what = offset < 0 || offset > end ? "is cut short" : `has ${end - offset} bytes too many`;
  return new SerializationException(
    `Cannot read ${describeSite(site)} as ${name} as it ${what}: current value is ${
      end - start
    } bytes`,
  );
}
