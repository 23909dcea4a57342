/** What stands in place of a secret wherever a configuration is shown. */
export const HIDDEN = "[hidden]";

const SECRET =
  /(^|\.)(password|passphrase|secret|token|bearer\.auth\.token)$|user\.info$|jaas\.config$|(^|\.)ssl\.key(store)?(\.pem|\.key)$|private\.key\.pem$|oauthbearer\.(config|extensions)$/;

/** Whether a setting's value is never shown. Works on a name with or without a client's prefix. */
export function isSecret(key: string): boolean {
  return SECRET.test(key);
}

/** Whether the value of a name that is no setting may be a secret: a mistyped setting must not show it. */
export function mayBeSecret(key: string, meant: string | undefined): boolean {
  return isSecret(key) || (meant !== undefined && isSecret(meant)) ||
    /pass|secret|token|credential|jaas|private|user\.?info/i.test(key);
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

const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)([^/@\s,]+)@/gi;

function withoutUserInfo(text: string): string {
  return text.replaceAll(USER_INFO, `$1${HIDDEN}@`);
}

/** The texts that must not be shown, of settings by name: secrets, and what stands before the `@` of URLs. */
export function secretTexts(values: Readonly<Record<string, unknown>>): string[] {
  const texts: string[] = [];
  for (const [key, value] of Object.entries(values)) {
    if (typeof value === "object" && !Array.isArray(value)) continue;
    const text = String(value ?? "");
    if (text === "") continue;
    if (isSecret(key)) texts.push(text);
    // The password alone may turn up too, for example in a request's header before it is encoded.
    if (key.endsWith("user.info")) texts.push(text.slice(text.indexOf(":") + 1));
    for (const [, , userInfo] of text.matchAll(USER_INFO)) {
      texts.push(userInfo, userInfo.slice(userInfo.indexOf(":") + 1));
    }
  }
  return texts;
}
