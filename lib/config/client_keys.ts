/**
 * The settings of Kafka's clients that can be given, beside the streams' own. They are passed on to the transport, which translates Java's
 * names to librdkafka's.
 *
 * @module
 */

/** Which clients know a setting. */
export type ClientScope = "all" | "consumer" | "producer";

const ALL = `
  message.max.bytes message.copy.max.bytes receive.message.max.bytes max.in.flight.requests.per.connection max.in.flight
  metadata.recovery.strategy metadata.recovery.rebootstrap.trigger.ms topic.metadata.refresh.interval.ms metadata.max.age.ms
  topic.metadata.refresh.fast.interval.ms topic.metadata.refresh.sparse topic.metadata.propagation.max.ms topic.blacklist debug
  socket.timeout.ms socket.send.buffer.bytes socket.receive.buffer.bytes socket.keepalive.enable socket.nagle.disable socket.max.fails
  broker.address.ttl broker.address.family socket.connection.setup.timeout.ms socket.connection.setup.timeout.max.ms
  connections.max.idle.ms reconnect.backoff.ms reconnect.backoff.max.ms statistics.interval.ms log_level log.connection.close
  api.version.request api.version.request.timeout.ms broker.version.fallback
  security.protocol ssl.cipher.suites ssl.curves.list ssl.sigalgs.list ssl.key.location ssl.key.password ssl.key.pem
  ssl.certificate.location ssl.certificate.pem ssl.ca.location ssl.ca.pem ssl.crl.location https.ca.location https.ca.pem
  ssl.keystore.location ssl.keystore.password ssl.keystore.type ssl.keystore.key ssl.keystore.certificate.chain
  ssl.truststore.location ssl.truststore.type ssl.truststore.certificates ssl.providers ssl.endpoint.identification.algorithm
  enable.ssl.certificate.verification ssl.protocol ssl.enabled.protocols
  sasl.mechanism sasl.mechanisms sasl.jaas.config sasl.username sasl.password sasl.oauthbearer.config
  enable.sasl.oauthbearer.unsecure.jwt sasl.oauthbearer.method sasl.oauthbearer.client.id sasl.oauthbearer.client.secret
  sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret sasl.oauthbearer.scope
  sasl.oauthbearer.extensions sasl.oauthbearer.token.endpoint.url sasl.oauthbearer.sub.claim.name sasl.oauthbearer.grant.type
  sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.private.key.file
  sasl.oauthbearer.assertion.private.key.passphrase sasl.oauthbearer.assertion.private.key.pem sasl.oauthbearer.assertion.file
  sasl.oauthbearer.assertion.claim.aud sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.iss
  sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds sasl.oauthbearer.assertion.claim.sub
  sasl.oauthbearer.assertion.jwt.template.file sasl.oauthbearer.metadata.authentication.type
  client.rack client.dns.lookup retry.backoff.ms retry.backoff.max.ms enable.metrics.push allow.auto.create.topics
  send.buffer.bytes receive.buffer.bytes request.timeout.ms default.api.timeout.ms`;

const CONSUMER = `
  group.id group.remote.assignor partition.assignment.strategy session.timeout.ms heartbeat.interval.ms coordinator.query.interval.ms
  max.poll.interval.ms enable.auto.commit auto.commit.interval.ms enable.auto.offset.store queued.min.messages
  queued.max.messages.kbytes fetch.wait.max.ms fetch.max.wait.ms fetch.queue.backoff.ms fetch.message.max.bytes
  max.partition.fetch.bytes fetch.max.bytes fetch.min.bytes fetch.error.backoff.ms isolation.level enable.partition.eof check.crcs
  auto.offset.reset max.poll.records`;

const PRODUCER = `
  transactional.id transaction.timeout.ms enable.idempotence enable.gapless.guarantee queue.buffering.max.messages
  queue.buffering.max.kbytes queue.buffering.max.ms buffer.memory linger.ms message.send.max.retries retries
  queue.buffering.backpressure.threshold compression.codec compression.type compression.level compression.gzip.level
  compression.lz4.level compression.zstd.level batch.num.messages batch.size delivery.timeout.ms message.timeout.ms
  sticky.partitioning.linger.ms request.required.acks acks max.request.size max.block.ms partitioner`;

/** Every client setting by name. */
export const CLIENT_KEYS: ReadonlyMap<string, ClientScope> = new Map([
  ...names(ALL).map((name): [string, ClientScope] => [name, "all"]),
  ...names(CONSUMER).map((name): [string, ClientScope] => [name, "consumer"]),
  ...names(PRODUCER).map((name): [string, ClientScope] => [name, "producer"]),
]);

/** The prefixes that aim a setting at one kind of client, the longer ones first, with what that client may know. */
export const CLIENT_PREFIXES: readonly (readonly [prefix: string, scope: ClientScope])[] = [
  ["restore.consumer.", "consumer"],
  ["global.consumer.", "consumer"],
  ["main.consumer.", "consumer"],
  ["consumer.", "consumer"],
  ["producer.", "producer"],
  ["admin.", "all"],
];

/** Settings of topics, given as `topic.<name>`, for the internal topics. Kafka: `TopicConfig`. */
export const TOPIC_KEYS: ReadonlySet<string> = new Set(names(`
  segment.bytes segment.ms segment.jitter.ms segment.index.bytes flush.messages flush.ms retention.bytes retention.ms
  remote.storage.enable local.retention.ms local.retention.bytes max.message.bytes index.interval.bytes file.delete.delay.ms
  delete.retention.ms min.compaction.lag.ms max.compaction.lag.ms min.cleanable.dirty.ratio cleanup.policy
  unclean.leader.election.enable min.insync.replicas compression.type compression.gzip.level compression.lz4.level
  compression.zstd.level preallocate message.timestamp.type message.timestamp.before.max.ms message.timestamp.after.max.ms`));

/** Settings of the Java clients that nothing here can stand for. */
export const JAVA_ONLY_CLIENT_KEYS: ReadonlySet<string> = new Set(names(`
  key.serializer value.serializer key.deserializer value.deserializer interceptor.classes metric.reporters partitioner.class
  partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms partitioner.ignore.keys metadata.max.idle.ms
  exclude.internal.topics internal.leave.group.on.close transaction.two.phase.commit.enable config.providers
  ssl.truststore.password ssl.provider ssl.keymanager.algorithm ssl.trustmanager.algorithm ssl.secure.random.implementation
  ssl.engine.factory.class sasl.client.callback.handler.class sasl.login.callback.handler.class sasl.login.class
  sasl.login.refresh.window.factor sasl.login.refresh.window.jitter sasl.login.refresh.min.period.seconds
  sasl.login.refresh.buffer.seconds sasl.kerberos.service.name sasl.kerberos.kinit.cmd auto.include.jmx.reporter`));

function names(list: string): string[] {
  return list.trim().split(/\s+/);
}

/** Whether a client of this scope knows the setting. */
export function clientKnows(scope: ClientScope, key: string): boolean {
  const known = CLIENT_KEYS.get(key);
  return known !== undefined && (known === "all" || known === scope);
}
