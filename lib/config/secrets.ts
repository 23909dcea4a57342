/** What stands in place of a secret wherever a configuration is shown. */
export const HIDDEN = "[hidden]";

const SECRET =
  /(^|\.)(password|passphrase|secret|token|bearer\.auth\.token)$|user\.info$|jaas\.config$|(^|\.)ssl\.key(store)?(\.pem|\.key)$|private\.key\.pem$|oauthbearer\.(config|extensions)$/;

/** Whether a setting's value is never shown. Works on a name with or without a client's prefix. */
export function isSecret(key: string): boolean {
  return SECRET.test(key);
}

/** A setting's value as it may be shown: secrets hidden, the password taken out of URLs, functions by name. */
export function shown(key: string, value: unknown): string {
  if (isSecret(key)) return HIDDEN;
  return withoutUserInfo(asText(value));
}

function asText(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return `function ${value.name || "(anonymous)"}`;
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(asText).join(",");
  if (typeof value === "object" && value !== null) {
    const proto = Object.getPrototypeOf(value);
    if (proto !== Object.prototype && proto !== null) return `a ${proto.constructor?.name}`;
    return JSON.stringify(value, (_, v) => typeof v === "function" ? "function" : v);
  }
  return String(value);
}

function withoutUserInfo(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s,]+@/gi, `$1${HIDDEN}@`);
}
