import { mockRegistry } from "./mock_registry.ts";
import type { SchemaRegistry } from "./registry.ts";
import { SchemaRegistryClient, type SchemaRegistryOptions } from "./schema_registry_client.ts";

const MOCK = "mock://";

/**
 * The registry at these addresses: the in-process one of a scope for `mock://scope`, else Confluent's REST API.
 *
 * @example
 * ```ts
 * const registry = openSchemaRegistry({
 *   baseURLs: ["https://registry-1:8081", "https://registry-2:8081"],
 *   basicAuth: credentials("user:password"),
 *   caFile: "/etc/weir/ca.pem",
 * });
 * ```
 * @throws {TypeError} when no address is given, one is none, or a `mock://` address is not alone
 */
export function openSchemaRegistry(options: SchemaRegistryOptions): SchemaRegistry {
  const { baseURLs } = options;
  if (!baseURLs.some((url) => url.startsWith(MOCK))) return new SchemaRegistryClient(options);
  if (baseURLs.length > 1) {
    throw new TypeError(
      `Cannot open the schema registry as ${MOCK} must stand alone: current value is ${baseURLs.length} addresses`,
    );
  }
  return mockRegistry(baseURLs[0].slice(MOCK.length));
}

/** `user:password` apart, as `schema.registry.basic.auth.user.info` has it; the password may hold colons. */
export function credentials(userInfo: string): { user: string; password: string } {
  const colon = userInfo.indexOf(":");
  if (colon > 0) return { user: userInfo.slice(0, colon), password: userInfo.slice(colon + 1) };
  throw new TypeError(
    "Cannot use the registry's credentials as they must be user:password: current value is [hidden]",
  );
}
