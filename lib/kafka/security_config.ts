import type { ClientConfig } from "./client.ts";
import type { Translation } from "./client_config.ts";

/**
 * Java's TLS settings in librdkafka's terms: PEM trust and key stores, by file or by text, and PKCS#12 key stores.
 * A JKS store cannot be read; the fault says how to convert it.
 */
export function securitySettings(config: ClientConfig, to: Translation): void {
  const value = (key: string) => config[key] === undefined ? undefined : String(config[key]);
  trustStore(value, to);
  keyStore(value, to);
  const algorithm = value("ssl.endpoint.identification.algorithm");
  if (algorithm !== undefined) {
    to.set("ssl.endpoint.identification.algorithm", algorithm === "" ? "none" : algorithm);
  }
  for (const key of ["ssl.protocol", "ssl.enabled.protocols"]) {
    const given = value(key);
    if (given !== undefined && !/TLSv1\.[23]/.test(given) && given !== "TLS") {
      to.fault({ key, given, rule: "has to include TLSv1.2 or TLSv1.3" });
    }
  }
  const factory = value("ssl.engine.factory.class");
  if (factory) {
    to.fault({
      key: "ssl.engine.factory.class",
      given: factory,
      rule: "cannot be used, as it names a Java class",
    });
  }
}

type Read = (key: string) => string | undefined;

function trustStore(value: Read, to: Translation): void {
  const pem = value("ssl.truststore.certificates");
  if (pem !== undefined) to.set("ssl.ca.pem", pem);
  const location = value("ssl.truststore.location");
  if (location === undefined) return;
  if (storeType(location, value("ssl.truststore.type")) === "PEM") {
    return to.set("ssl.ca.location", location);
  }
  to.fault({
    key: "ssl.truststore.location",
    given: location,
    rule: "has to be a PEM file (ssl.truststore.type=PEM); convert a JKS or PKCS#12 store with " +
      "`keytool -exportcert -rfc -keystore <store> -alias <alias> > ca.pem`",
  });
}

function keyStore(value: Read, to: Translation): void {
  const key = value("ssl.keystore.key");
  if (key !== undefined) to.set("ssl.key.pem", key);
  const chain = value("ssl.keystore.certificate.chain");
  if (chain !== undefined) to.set("ssl.certificate.pem", chain);
  const location = value("ssl.keystore.location");
  if (location === undefined) return;
  const type = storeType(location, value("ssl.keystore.type"));
  if (type === "PEM") {
    to.set("ssl.certificate.location", location);
    to.set("ssl.key.location", location);
  } else if (type === "PKCS12") {
    to.set("ssl.keystore.location", location);
    const password = value("ssl.keystore.password");
    if (password !== undefined) to.set("ssl.keystore.password", password);
  } else {
    to.fault({
      key: "ssl.keystore.location",
      given: location,
      rule: "has to be a PEM or PKCS#12 file; convert a JKS store with " +
        "`keytool -importkeystore -srckeystore <store> -destkeystore client.p12 -deststoretype PKCS12`",
    });
  }
}

/** Java's default type is JKS; a file's ending tells more than that. */
function storeType(location: string, type: string | undefined): string {
  if (type !== undefined) return type.toUpperCase();
  if (/\.(p12|pfx)$/i.test(location)) return "PKCS12";
  return /\.(pem|crt|cer)$/i.test(location) ? "PEM" : "JKS";
}
