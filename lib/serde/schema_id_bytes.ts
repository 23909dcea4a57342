import { Buffer } from "node:buffer";
import { SerializationException } from "../errors.ts";
import { readInt32 } from "../record/bytes.ts";
import type { Headers } from "../record/headers.ts";
import { describeSite } from "./primitives.ts";
import type { SerdeSite } from "./serde.ts";

/** The byte before a schema id of four bytes. */
export const MAGIC_ID = 0;
/** The byte before a GUID of sixteen bytes. */
const MAGIC_GUID = 1;
/** How many bytes magic and id take. */
export const PREFIX_SIZE = 5;

/** The header that carries a schema's GUID. Confluent: `SchemaId.KEY_SCHEMA_ID_HEADER`, `VALUE_SCHEMA_ID_HEADER`. */
export function schemaHeader(site: SerdeSite): string {
  return site.isKey ? "__key_schema_id" : "__value_schema_id";
}

/** The schema id at the beginning. @throws {SerializationException} when there is none */
export function readPrefix(bytes: Uint8Array, start: number, end: number, site: SerdeSite): number {
  if (end - start < PREFIX_SIZE || bytes[start] !== MAGIC_ID) {
    throw new SerializationException(
      `Cannot read ${
        describeSite(site)
      } as Avro as it must begin with the magic byte 0 and a schema id of 4 bytes, or carry a GUID in the header ${
        schemaHeader(site)
      }: current value is ${end - start} bytes${
        end > start ? ` that begin with ${bytes[start]}` : ""
      }`,
    );
  }
  return readInt32(bytes, start + 1);
}

/** The GUID that a header carries, in lower-case text; undefined when none does. */
export function guidIn(headers: Headers, site: SerdeSite): string | undefined {
  const value = headers.last(schemaHeader(site));
  if (!value || value.length !== 17 || value[0] !== MAGIC_GUID) return undefined;
  const hex = Buffer.from(value.subarray(1)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${
    hex.slice(20)
  }`;
}

/** A GUID as the value of the header. */
export function guidBytes(guid: string): Uint8Array {
  const bytes = new Uint8Array(17);
  bytes[0] = MAGIC_GUID;
  bytes.set(Buffer.from(guid.replaceAll("-", ""), "hex"), 1);
  return bytes;
}
