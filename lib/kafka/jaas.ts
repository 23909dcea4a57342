import type { ClientConfig } from "./client.ts";
import type { Translation } from "./client_config.ts";

/** A login module with its options, as `sasl.jaas.config` writes it. */
interface Login {
  readonly module: string;
  readonly options: ReadonlyMap<string, string>;
}

/**
 * User name and password out of `sasl.jaas.config`: `…ScramLoginModule required username="u" password="p";`.
 * Kerberos and other modules are faults; the text itself never appears in one, as it holds a password.
 */
export function jaasCredentials(config: ClientConfig, to: Translation): void {
  const text = config["sasl.jaas.config"];
  if (text === undefined) return;
  const login = parse(String(text));
  const fault = (rule: string) => to.fault({ key: "sasl.jaas.config", given: "[hidden]", rule });
  if (login === undefined) {
    return fault('has to read `<login module> required username="…" password="…";`');
  }
  if (/\.(Plain|Scram)LoginModule$/.test(login.module)) {
    const username = login.options.get("username");
    const password = login.options.get("password");
    if (username === undefined || password === undefined) {
      return fault("has to name a username and a password");
    }
    to.set("sasl.username", username);
    to.set("sasl.password", password);
    return;
  }
  if (/\.OAuthBearerLoginModule$/.test(login.module)) {
    if (login.options.size > 0) {
      fault(
        "cannot hold options of OAuthBearerLoginModule; give a token by the oauthBearer callback",
      );
    }
    return;
  }
  fault(`cannot use the login module ${login.module}; PLAIN, SCRAM and OAUTHBEARER are built in`);
}

function parse(text: string): Login | undefined {
  const match = /^\s*([\w.$]+)\s+(required|requisite|sufficient|optional)\b([\s\S]*?);?\s*$/.exec(
    text,
  );
  if (!match) return undefined;
  const options = new Map<string, string>();
  const rest = match[3];
  const option = /\s*([\w.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;]+))/y;
  let found: RegExpExecArray | null;
  let end = 0;
  while ((found = option.exec(rest)) !== null) {
    const raw = found[2] ?? found[3] ?? found[4];
    options.set(found[1], found[4] === undefined ? raw.replace(/\\(.)/g, "$1") : raw);
    end = option.lastIndex;
  }
  return rest.slice(end).trim() === "" ? { module: match[1], options } : undefined;
}
