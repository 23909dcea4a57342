import { SerializationException } from "../errors.ts";
import type { ByteWriter } from "../record/bytes.ts";
import { describeSite } from "./primitives.ts";
import type { Serde, SerdeSite } from "./serde.ts";
import { decodeText } from "./text.ts";

/** The part of the Standard Schema interface that is used: zod, valibot and arktype schemas have it. */
export interface StandardSchema<T> {
  readonly "~standard": {
    readonly validate: (
      value: unknown,
    ) =>
      | { readonly value: T; readonly issues?: undefined }
      | {
        readonly issues: readonly {
          readonly message: string;
          readonly path?: readonly unknown[];
        }[];
      }
      | Promise<unknown>;
    readonly types?: { readonly output: T } | undefined;
  };
}

/**
 * JSON in UTF-8. With a schema every value that is read or written is checked, and reading gives the schema's output.
 *
 * @example
 * ```ts
 * const Order = z.object({ id: z.string(), amount: z.number() });
 * const orders = topic("orders", { key: string(), value: json(Order) });
 * ```
 * @param schema any Standard Schema whose validation is synchronous
 */
export function json<T = unknown>(schema?: StandardSchema<T>): Serde<T> {
  return Object.freeze({
    name: "json",
    encode(value: T, out: ByteWriter, site: SerdeSite) {
      if (schema) validate(schema, value, site);
      const text = stringify(value, site);
      if (text === undefined) throw fault(site, "must have a JSON form", String(value));
      out.utf8(text);
    },
    decode(bytes: Uint8Array, start: number, end: number, site: SerdeSite): T {
      let value: unknown;
      try {
        value = JSON.parse(decodeText(bytes, start, end));
      } catch (error) {
        throw new SerializationException(
          `Cannot read ${describeSite(site)} as it must be JSON: ${(error as Error).message}`,
          {
            cause: error,
          },
        );
      }
      return schema ? validate(schema, value, site) : value as T;
    },
  });
}

function stringify(value: unknown, site: SerdeSite): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new SerializationException(
      `Cannot write ${describeSite(site)} as JSON: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

function validate<T>(schema: StandardSchema<T>, value: unknown, site: SerdeSite): T {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    throw new SerializationException(
      `Cannot check ${
        describeSite(site)
      } as its schema validates asynchronously: use one that does not`,
    );
  }
  if (result.issues) {
    const listed = result.issues.map((i) =>
      `${(i.path ?? []).map(pathKey).join(".") || "value"}: ${i.message}`
    );
    throw fault(site, "must match its schema", listed.join("; "));
  }
  return (result as { value: T }).value;
}

function pathKey(part: unknown): string {
  return String(typeof part === "object" && part !== null && "key" in part ? part.key : part);
}

function fault(site: SerdeSite, rule: string, current: string): SerializationException {
  return new SerializationException(
    `Cannot use ${describeSite(site)} as it ${rule}: current value is ${current}`,
  );
}
