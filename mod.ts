/**
 * Weir: Kafka Streams for TypeScript, on Deno and Bun.
 *
 * @example
 * ```ts
 * const lines = topic("lines", { key: string(), value: string() });
 * const counts = topic("counts", { key: string(), value: long() });
 *
 * export const topology = defineTopology((builder) => {
 *   builder.stream(lines)
 *     .flatMapValues((line) => line.toLowerCase().split(/\W+/))
 *     .groupBy((word) => word, { key: string(), value: string() })
 *     .count({ store: "word-counts" })
 *     .toStream()
 *     .to(counts);
 * });
 * ```
 *
 * @module
 */

// Topologies: the DSL
export { defineTopology, type TopologyModule } from "./lib/dsl/define_topology.ts";
export { type BuilderConfig, StreamsBuilder } from "./lib/dsl/streams_builder.ts";
export { type Consumed, type Topic, topic, type TopicFor } from "./lib/dsl/topic.ts";
export { type Grouped, KStream, type Named, type Printed } from "./lib/dsl/kstream.ts";
export { KTable } from "./lib/dsl/ktable.ts";
export { GlobalKTable } from "./lib/dsl/global_ktable.ts";
export { KGroupedStream } from "./lib/dsl/grouped_stream.ts";
export { KGroupedTable } from "./lib/dsl/grouped_table.ts";
export { SessionWindowedKStream, TimeWindowedKStream } from "./lib/dsl/windowed_stream.ts";
export {
  CogroupedKStream,
  SessionWindowedCogroupedKStream,
  TimeWindowedCogroupedKStream,
} from "./lib/dsl/cogrouped_stream.ts";
export {
  type Branched,
  BranchedKStream,
  type BranchTests,
  type NamedBranches,
  otherwise,
} from "./lib/dsl/branching.ts";
export type { Materialized, NamedMaterialized } from "./lib/dsl/materialized.ts";
export type { Partitioner, Produced, TopicChooser } from "./lib/dsl/sink.ts";
export type { Repartitioned } from "./lib/dsl/repartition.ts";
export type { StreamJoined } from "./lib/dsl/kstream_join.ts";
export type { TableJoinedWith } from "./lib/dsl/kstream_table_join.ts";
export type { KeyPartitioner, TableJoined } from "./lib/dsl/foreign_key_join.ts";
export type { Transforming } from "./lib/dsl/ktable_steps.ts";
export type { ValueTransformer } from "./lib/dsl/processors/ktable_transform_values.ts";
export type {
  GroupedStreamOf,
  StreamOf,
  StreamState,
  TableOf,
  TableState,
} from "./lib/dsl/stream_state.ts";
export type { Suppressed, SuppressUntil } from "./lib/dsl/suppress.ts";
export type { DeduplicateOptions } from "./lib/dsl/deduplicate.ts";
export type { RateLimitOptions } from "./lib/dsl/rate_limit.ts";
export type { Optimization } from "./lib/dsl/optimize.ts";
export type {
  FixedKeyProcessing,
  FixedKeyProcessorObject,
  Processing,
  ProcessOptions,
  ProcessorObject,
} from "./lib/dsl/process.ts";
export type {
  Aggregator,
  ForeachAction,
  Initializer,
  KeyMapper,
  Merger,
  PairMapper,
  Predicate,
  Reducer,
  ValueJoiner,
  ValueMapper,
} from "./lib/dsl/processors/functions.ts";

// Windows
export {
  type EmitStrategy,
  hopping,
  type JoinWindows,
  session,
  type SessionWindows,
  sliding,
  type SlidingWindows,
  type TimeWindows,
  tumbling,
  unlimited,
  type UnlimitedWindows,
  within,
} from "./lib/dsl/windows.ts";

// Topologies: the Processor API
export { Topology } from "./lib/topology/topology.ts";
export type {
  GlobalStoreOptions,
  SinkOptions,
  SourceOptions,
  TopologyOptions,
} from "./lib/topology/topology_options.ts";
export type { ProcessorWrapper, SupplierOrFactory } from "./lib/topology/suppliers.ts";
export type { TopicDeclaration } from "./lib/topology/declared_topic.ts";
export type {
  DescribedNode,
  DescribedSubtopology,
  TopologyDescription,
} from "./lib/topology/describe.ts";
export { type Rate, RateLimiter } from "./lib/topology/rate_limiter.ts";
export type {
  AutoOffsetReset,
  Cancellable,
  FixedKeyProcessor,
  FixedKeyProcessorContext,
  FixedKeyProcessorSupplier,
  FixedKeyRecord,
  ProcessingContext,
  Processor,
  ProcessorContext,
  ProcessorSupplier,
  PunctuationType,
  StreamPartitioner,
  TimestampExtractor,
  TopicNameExtractor,
} from "./lib/topology/processor.ts";
export {
  failOnInvalidTimestamp,
  logAndSkipOnInvalidTimestamp,
  usePartitionTimeOnInvalidTimestamp,
  wallclockTimestamp,
} from "./lib/topology/timestamp_extractors.ts";

// Records
export { StreamRecord } from "./lib/record/record.ts";
export { type Header, Headers } from "./lib/record/headers.ts";
export { type Window, Windowed } from "./lib/record/windowed.ts";
export type { RecordMetadata } from "./lib/record/context.ts";
export {
  type Clock,
  days,
  hours,
  ManualClock,
  millis,
  minutes,
  seconds,
  systemClock,
} from "./lib/record/time.ts";
export { ByteWriter } from "./lib/record/bytes.ts";

// Serdes
export type { Infer, Serde, SerdeEnvironment, SerdeSite } from "./lib/serde/serde.ts";
export {
  boolean,
  bytes,
  date,
  double,
  float,
  int16,
  int32,
  int64,
  long,
  string,
  uuid,
} from "./lib/serde/primitives.ts";
export { json, type StandardSchema } from "./lib/serde/json.ts";
export { list } from "./lib/serde/list.ts";
export { sessionWindowed, timeWindowed } from "./lib/serde/windowed.ts";
export { avro, type AvroOptions, type AvroSchema } from "./lib/serde/avro.ts";
export {
  SchemaRegistryClient,
  type SchemaRegistryOptions,
} from "./lib/serde/schema_registry_client.ts";
export { mockRegistry, MockSchemaRegistry } from "./lib/serde/mock_registry.ts";
export {
  type RegisteredSchema,
  type SchemaRegistry,
  SchemaRegistryError,
} from "./lib/serde/registry.ts";

// Stores
export {
  keyValueStoreBuilder,
  sessionStoreBuilder,
  timestampedKeyValueStoreBuilder,
  timestampedWindowStoreBuilder,
  versionedKeyValueStoreBuilder,
  windowStoreBuilder,
} from "./lib/state/stores.ts";
export {
  inMemoryKeyValueStore,
  inMemorySessionStore,
  inMemoryVersionedKeyValueStore,
  inMemoryWindowStore,
  lruMap,
  persistentKeyValueStore,
  persistentSessionStore,
  persistentTimestampedKeyValueStore,
  persistentTimestampedWindowStore,
  persistentVersionedKeyValueStore,
  persistentWindowStore,
} from "./lib/state/suppliers.ts";
export { type DslStoreSuppliers, inMemoryStores, lmdbStores } from "./lib/state/dsl_suppliers.ts";
export type { StateEnvironment } from "./lib/state/store.ts";
export {
  LmdbEnvironment,
  type LmdbEnvironmentOptions,
  type StateSync,
} from "./lib/state/lmdb_environment.ts";
export {
  type KeyValueStore,
  type SessionStore,
  type StateStore,
  type StoreBuilder,
  type TimestampedKeyValueStore,
  type TimestampedWindowStore,
  ValueAndTimestamp,
  type VersionedKeyValueStore,
  type VersionedRecord,
  type WindowStore,
} from "./lib/state/store.ts";

// Queries of stores
export {
  type FailureReason,
  isPermitted,
  keyQuery,
  type KeyRange,
  multiVersionedKeyQuery,
  type Position,
  type Query,
  type QueryResult,
  queryStore,
  rangeQuery,
  type ResultOrder,
  sessionsOfKeyQuery,
  timestampedKeyQuery,
  timestampedRangeQuery,
  versionedKeyQuery,
  windowKeyQuery,
  windowRangeQuery,
} from "./lib/state/query.ts";
export {
  type Answer,
  onlyAnswer,
  type StateQueryRequest,
  type StateQueryResults,
} from "./lib/runtime/state_queries.ts";

// Running
export { KafkaStreams } from "./lib/streams.ts";
export type { CloseOptions, StateListener } from "./lib/runtime/kafka_streams.ts";
export type { ClientState, ThreadState } from "./lib/runtime/states.ts";
export { parseConfig, type StreamsConfig } from "./lib/config.ts";
export {
  type EmbeddedBroker,
  type EmbeddedBrokerOptions,
  startEmbeddedBroker,
} from "./lib/kafka/embedded_broker.ts";

// Errors and their handlers
export {
  AsyncFunctionError,
  ConfigException,
  InvalidStateStoreException,
  KafkaError,
  LockException,
  MissingSourceTopicException,
  NotBuiltError,
  ProcessorStateException,
  SerializationException,
  StreamsException,
  TaskCorruptedException,
  TaskMigratedException,
  TopologyException,
  UnknownStateStoreException,
} from "./lib/errors.ts";
export type {
  DeserializationExceptionHandler,
  ErrorHandlerContext,
  HandlerAction,
  HandlerResponse,
  ProcessingExceptionHandler,
  ProductionExceptionHandler,
} from "./lib/runtime/exception_handlers.ts";
export type { DeadLetter } from "./lib/runtime/record_collector.ts";

// Testing
export { type DriverOptions, TopologyTestDriver } from "./lib/testing/topology_test_driver.ts";
export {
  type CapturedForward,
  type CapturedPunctuator,
  type MockContextOptions,
  MockProcessorContext,
} from "./lib/testing/mock_processor_context.ts";
export { type PipeOptions, TestInputTopic, TestOutputTopic } from "./lib/testing/test_topics.ts";
