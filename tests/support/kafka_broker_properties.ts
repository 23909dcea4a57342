/** `server.properties` of a broker for tests, and what a SASL_SSL listener adds to them. @module */
import { join } from "node:path";
import { type Certificates, makeCertificates, pemKeyStore } from "./certificates.ts";

/** The mechanisms that the secured listener speaks. */
export type SaslMechanism = "SCRAM-SHA-256" | "SCRAM-SHA-512" | "PLAIN" | "OAUTHBEARER";

/** A secured listener. */
export interface SaslOptions {
  /** SCRAM-SHA-256, SCRAM-SHA-512 and PLAIN when not given. OAUTHBEARER takes unsecured tokens. */
  readonly mechanisms?: readonly SaslMechanism[];
  /** `weir` when not given. */
  readonly username?: string;
  /** Made at random when not given. */
  readonly password?: string;
  /** Whether clients must show a certificate. */
  readonly clientCertificate?: "required" | "none";
}

/** What a client needs for the secured listener. */
export interface BrokerSecurity {
  readonly mechanisms: readonly SaslMechanism[];
  readonly username: string;
  readonly password: string;
  readonly clientCertificate: "required" | "none";
  readonly certificates: Certificates;
  readonly keyStoreFile: string;
}

/** The ports of a broker. */
export interface Ports {
  readonly plain: number;
  readonly controller: number;
  readonly secure: number;
}

/** Settings that make one small node start quickly, and let tests use short timeouts. */
export function brokerProperties(
  dir: string,
  ports: Ports,
  security: BrokerSecurity | undefined,
): Record<string, string> {
  const plain = `PLAINTEXT://127.0.0.1:${ports.plain}`;
  const listeners = security ? `${plain},SASL_SSL://127.0.0.1:${ports.secure}` : plain;
  return {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${ports.controller}`,
    "listeners": `${listeners},CONTROLLER://127.0.0.1:${ports.controller}`,
    "advertised.listeners": listeners,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL",
    "log.dirs": join(dir, "data"),
    "num.partitions": "1",
    // A topic comes into being when a test says so, never by a typing error.
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    // A killed broker may come back only when its former self has timed out.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "100",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.heartbeat.interval.ms": "100",
    "group.consumer.heartbeat.interval.ms": "500",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "8388608",
    // Event times of tests lie in the past: retention must not eat them, nor compaction surprise.
    "log.retention.ms": "-1",
    ...(security ? securityProperties(security) : {}),
  };
}

/** Makes certificates in `dir` and settles names. */
export async function secure(dir: string, options: SaslOptions): Promise<BrokerSecurity> {
  const certificates = await makeCertificates(dir);
  return {
    mechanisms: options.mechanisms ?? ["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"],
    username: options.username ?? "weir",
    password: options.password ?? crypto.randomUUID(),
    clientCertificate: options.clientCertificate ?? "none",
    certificates,
    keyStoreFile: pemKeyStore(dir, certificates),
  };
}

/** The arguments that put SCRAM users into a newly formatted node. */
export function scramArguments(security: BrokerSecurity | undefined): string[] {
  const mechanisms = (security?.mechanisms ?? []).filter((name) => name.startsWith("SCRAM"));
  return mechanisms.flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${security!.username},password=${security!.password}]`,
  ]);
}

/** The text of a properties file. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties).map(([key, value]) => `${key}=${value}\n`).join("");
}

function securityProperties(security: BrokerSecurity): Record<string, string> {
  const listener = "listener.name.sasl_ssl";
  const properties: Record<string, string> = {
    "sasl.enabled.mechanisms": security.mechanisms.join(","),
    [`${listener}.ssl.enabled.protocols`]: "TLSv1.3",
    [`${listener}.ssl.keystore.type`]: "PEM",
    [`${listener}.ssl.keystore.location`]: security.keyStoreFile,
    [`${listener}.ssl.truststore.type`]: "PEM",
    [`${listener}.ssl.truststore.location`]: security.certificates.caFile,
    [`${listener}.ssl.client.auth`]: security.clientCertificate,
  };
  for (const mechanism of security.mechanisms) {
    const login = LOGIN_MODULES[mechanism](security.username, security.password);
    properties[`${listener}.${mechanism.toLowerCase()}.sasl.jaas.config`] = login;
  }
  return properties;
}

const LOGIN_MODULES: Record<SaslMechanism, (username: string, password: string) => string> = {
  "SCRAM-SHA-256": () => "org.apache.kafka.common.security.scram.ScramLoginModule required;",
  "SCRAM-SHA-512": () => "org.apache.kafka.common.security.scram.ScramLoginModule required;",
  "PLAIN": (username, password) =>
    `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`,
  "OAUTHBEARER": (username) =>
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required " +
    `unsecuredLoginStringClaim_sub="${username}";`,
};
