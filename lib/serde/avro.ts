import { SerializationException } from "../errors.ts";
import type { ByteWriter } from "../record/bytes.ts";
import type { Headers } from "../record/headers.ts";
import { type AvroOptions, type AvroSchema, parseSchema, schemaChoice } from "./avro_options.ts";
import { AvroReader } from "./avro_reader.ts";
import { type AvroReading, type AvroType, avroTypeOf, refusedPart, resolve } from "./avro_types.ts";
import { AvroWriter } from "./avro_writer.ts";
import { describeSite } from "./primitives.ts";
import type { RegisteredSchema, SchemaRegistry } from "./registry.ts";
import {
  guidBytes,
  guidIn,
  MAGIC_ID,
  PREFIX_SIZE,
  readPrefix,
  schemaHeader,
} from "./schema_id_bytes.ts";
import { SchemaIds } from "./schema_ids.ts";
import type { Serde, SerdeEnvironment, SerdePurpose, SerdeSite } from "./serde.ts";
import { SUBJECT_STRATEGIES } from "./subject_names.ts";
import { type WholeSchema, WrittenSchemas } from "./written_schemas.ts";

export type { AvroOptions, AvroReference, AvroSchema } from "./avro_options.ts";

/**
 * Avro with the schema of the reader; what was written with another version is resolved to it (new fields take their defaults, removed ones are
 * left out). In Confluent's wire format, so that any Confluent client reads it. 64-bit integers are `bigint` unless `long: "number"`, bytes
 * are `Uint8Array`.
 *
 * A registry that is out of reach makes records wait, never skips them; see `WrittenSchemas`.
 *
 * @example
 * ```ts
 * const orders = topic("orders", { key: string(), value: avro<Order>(ORDER_SCHEMA) });
 * ```
 * @throws {TypeError} when the schema is not valid Avro, or options contradict each other
 */
export function avro<T = unknown>(schema: AvroSchema, options: AvroOptions = {}): Serde<T> {
  return new AvroSerde<T>(schema, options);
}

/** What is written at a site. */
interface Output {
  readonly id: number;
  readonly type: AvroType;
  readonly inHeader: boolean;
  /** The header's value, when the id goes there. */
  readonly header: Uint8Array | undefined;
}

// One of each serves every serde: reading and writing a value is never interrupted.
const READER = new AvroReader();
const WRITER = new AvroWriter();

class AvroSerde<T> implements Serde<T> {
  readonly name: string;
  readonly #options: AvroOptions;
  readonly #type: AvroType;
  readonly #own: RegisteredSchema;
  readonly #ids: SchemaIds;
  readonly #written = new WrittenSchemas();
  readonly #confluent: boolean;
  #registry: SchemaRegistry | undefined;
  readonly #outputs = new WeakMap<SerdeSite, Output>();
  /** What reads a writer's schema, by id or GUID. */
  readonly #readings = new Map<number | string, AvroReading>();
  // Records of one place and one schema come in runs; a map is asked only where a run ends.
  #lastSite: SerdeSite | undefined;
  #lastOutput!: Output;
  #lastId = -1;
  #lastReading!: AvroReading;

  constructor(schema: AvroSchema, options: AvroOptions) {
    const parsed = parseSchema(schema);
    const references = options.references ?? [];
    this.#options = options;
    this.#type = avroTypeOf(parsed, options, references.map((r) => parseSchema(r.schema)));
    this.name = `avro(${this.#type.name ?? this.#type.typeName})`;
    this.#own = {
      schema: JSON.stringify(parsed),
      schemaType: "AVRO",
      references: references.map(({ name, subject, version }) => ({ name, subject, version })),
    };
    this.#confluent = options.format !== "plain";
    this.#ids = new SchemaIds(this.#own, schemaChoice(options));
    this.#registry = options.registry;
    this.#registry?.announce?.(this.#own);
    if (options.schemaId !== undefined) this.#readings.set(options.schemaId, this.#type);
  }

  get #needsRegistry(): boolean {
    return this.#confluent && this.#options.schemaId === undefined;
  }

  bind(environment: SerdeEnvironment): void {
    this.#written.bind(environment.clock);
    if (this.#registry !== undefined || !this.#needsRegistry) return;
    this.#registry = environment.registry;
    this.#registry?.announce?.(this.#own);
  }

  async prepare(site: SerdeSite, purpose: SerdePurpose = "write"): Promise<void> {
    if (!this.#needsRegistry) return;
    const subject = this.#subject(site);
    const registry = this.#registryFor(`the subject ${subject}`);
    if (purpose === "write") {
      await this.#ids.prepare(subject, registry);
      this.#outputAt(site);
    }
    await this.#written.prefetch(subject, registry);
  }

  #subject(site: SerdeSite): string {
    const strategy = this.#options.subjectNameStrategy ?? "topicName";
    return SUBJECT_STRATEGIES[strategy](site, this.#type.name ?? this.#type.typeName);
  }

  #registryFor(what: string): SchemaRegistry {
    if (this.#registry !== undefined) return this.#registry;
    throw new SerializationException(
      `Cannot find the Avro schema of ${what} as there is no schema registry: set schema.registry.url, or give the serde a registry or a schemaId`,
    );
  }

  encode(value: T, out: ByteWriter, site: SerdeSite): void {
    const start = out.length;
    const output = site === this.#lastSite ? this.#lastOutput : this.#outputAt(site);
    if (this.#confluent && !output.inHeader) {
      out.uint8(MAGIC_ID);
      out.int32(output.id);
    }
    WRITER.open(out);
    try {
      output.type._write(WRITER, value);
    } catch (cause) {
      out.length = start;
      throw new SerializationException(
        `Cannot write ${describeSite(site)} as ${this.name}: ${
          refusedPart(output.type, value) ?? (cause as Error).message
        }`,
        { cause },
      );
    }
  }

  #outputAt(site: SerdeSite): Output {
    const output = this.#outputs.get(site) ?? this.#makeOutput(site);
    this.#outputs.set(site, output);
    this.#lastSite = site;
    this.#lastOutput = output;
    return output;
  }

  #makeOutput(site: SerdeSite): Output {
    if (!this.#needsRegistry) {
      return {
        id: this.#options.schemaId ?? 0,
        type: this.#type,
        inHeader: false,
        header: undefined,
      };
    }
    const chosen = this.#ids.of(this.#subject(site), site, this.#registryFor(describeSite(site)));
    const type = chosen.schema ? this.#typeOf(chosen.schema, chosen.id, site) : this.#type;
    // What is written here is read again by stores, in the middle of processing, where nothing can wait for the registry.
    if (chosen.schema === undefined) this.#knowOwn(chosen.id, chosen.guid);
    else this.#written.keep(chosen.id, chosen.schema);
    // Where no headers travel the id is written before the payload, as by default.
    const inHeader = this.#options.schemaIdIn === "header" && site.headerless !== true;
    if (inHeader && chosen.guid === undefined) {
      throw new SerializationException(
        `Cannot write the schema id of ${
          describeSite(site)
        } into a header as the registry tells no GUID for id ${chosen.id}: use schemaIdIn "prefix"`,
      );
    }
    return {
      id: chosen.id,
      type,
      inHeader,
      header: inHeader ? guidBytes(chosen.guid!) : undefined,
    };
  }

  #knowOwn(...ids: (number | string | undefined)[]): void {
    for (const id of ids) if (id !== undefined) this.#readings.set(id, this.#type);
  }

  headersOf(_value: T, site: SerdeSite, headers: Headers): Headers {
    const name = schemaHeader(site);
    // An id that came with the input is no longer true, and readers believe a header before the payload.
    const others = headers.size > 0 && headers.last(name) !== undefined
      ? headers.remove(name)
      : headers;
    const { header } = site === this.#lastSite ? this.#lastOutput : this.#outputAt(site);
    return header === undefined ? others : others.add(name, header);
  }

  decode(bytes: Uint8Array, start: number, end: number, site: SerdeSite, headers?: Headers): T {
    let at = start;
    let reading: AvroReading = this.#type;
    let writtenWith: number | string | undefined;
    if (this.#confluent) {
      const guid = headers === undefined || headers.size === 0 ? undefined : guidIn(headers, site);
      if (guid !== undefined) {
        reading = this.#readingOf(guid, site);
        writtenWith = guid;
      } else {
        const id = readPrefix(bytes, start, end, site);
        writtenWith = id;
        at += PREFIX_SIZE;
        if (id !== this.#lastId) {
          this.#lastReading = this.#readingOf(id, site);
          this.#lastId = id;
        }
        reading = this.#lastReading;
      }
    }
    READER.open(bytes, at, end);
    let fault: unknown;
    try {
      const value = reading._read(READER);
      if (READER.pos === end) return value as T;
    } catch (cause) {
      fault = cause;
    }
    const why = fault === undefined
      ? `it has ${end - READER.pos} bytes too many`
      : (fault as Error).message;
    const schema = writtenWith === undefined ? "" : ` with schema ${writtenWith}`;
    throw new SerializationException(
      `Cannot read ${describeSite(site)} as ${this.name} as ${why}: current value is ${
        end - start
      } bytes${schema}`,
      { cause: fault },
    );
  }

  /** @throws {SchemaPending} while the writer's schema is on its way */
  #readingOf(id: number | string, site: SerdeSite): AvroReading {
    const known = this.#readings.get(id);
    if (known !== undefined) return known;
    if (this.#options.schemaId !== undefined) {
      throw new SerializationException(
        `Cannot read ${
          describeSite(site)
        } as ${this.name} as only the schema id ${this.#options.schemaId} is known: current value is ${id}`,
      );
    }
    const schema = this.#written.get(id, site, this.#registryFor(describeSite(site)));
    const writer = this.#typeOf(schema, id, site);
    let reading: AvroReading;
    try {
      reading = resolve(this.#type, writer);
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
    this.#readings.set(id, reading);
    return reading;
  }

  #typeOf(schema: WholeSchema, id: number | string, site: SerdeSite): AvroType {
    const refused = (why: string, cause?: unknown) =>
      new SerializationException(
        `Cannot use the schema ${id} for ${describeSite(site)} as it ${why}`,
        { cause },
      );
    if (schema.schemaType !== "AVRO") {
      throw refused(`must be Avro: current value is ${schema.schemaType}`);
    }
    try {
      const named = schema.named.map((text) => JSON.parse(text));
      return avroTypeOf(JSON.parse(schema.schema), this.#options, named);
    } catch (cause) {
      throw refused(`is not valid: ${(cause as Error).message}`, cause);
    }
  }
}
