import {
  type Eventually,
  type SchemaReference,
  type SchemaRegistry,
  whenKnown,
} from "./registry.ts";

/**
 * The texts of the schemas that references name, and of those that these refer to, each before what uses it and none twice.
 * @throws {SchemaRegistryError} when one is unknown
 */
export function referencedSchemas(
  registry: SchemaRegistry,
  references: readonly SchemaReference[],
): Eventually<readonly string[]> {
  const found: string[] = [];
  return whenKnown(collect(registry, references, { found, seen: new Set() }), () => found);
}

interface Collected {
  readonly found: string[];
  readonly seen: Set<string>;
}

function collect(
  registry: SchemaRegistry,
  references: readonly SchemaReference[],
  collected: Collected,
): Eventually<void> {
  let done: Eventually<void> = undefined;
  for (const { subject, version } of references) {
    done = whenKnown(done, () => {
      const place = `${subject}\n${version}`;
      if (collected.seen.has(place)) return;
      collected.seen.add(place);
      return whenKnown(
        registry.version(subject, version),
        (schema) =>
          whenKnown(collect(registry, schema.references, collected), () => {
            collected.found.push(schema.schema);
          }),
      );
    });
  }
  return done;
}
