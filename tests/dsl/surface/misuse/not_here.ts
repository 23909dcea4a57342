// What Kafka Streams refuses and no misuse test has, with the reason.

/** Why a case has no test among the misuses. */
export const NOT_HERE: readonly (readonly [cases: RegExp, reason: string])[] = [
  [
    /: (named|name|materialized|grouped|joined|streamJoined|tableJoined|consumed|produced|printed|repartitioned|processorName|joinName|stateStoreNames)( (can't|cannot) be (null|a null array))?$/,
    "an options object is never null: a compile error (tests/types/misuse.ts)",
  ],
  [
    /^(AbstractStream|KTableTransformValues): /,
    "arguments of classes that users do not see; their methods are tested",
  ],
  [
    /(Unexpected processor type|Unexpected value|Unexpected storeType|Unknown definition class|Nodes should not have a null parent|child node can't|parent node can't|Parent node collection|Expected the left node|Found a null keyChangingChild|A table source node must|queryableStoreName should be|historyRetention is not supported|retentionPeriod is not supported|Expected configure\(\)|Unexpected window found|Early record for sliding|should always require sending|invalid window store type|storeSupplier$|time cannot be null|topology has not completed|applicationId|internalTopicProperties|config can't be null|topologyConfigs|Could not validate the copartitioning|processorSupplier cannot|Unable to lookup offset reset|Sources don't have predecessors|ON_WINDOW_CLOSE strategy is only|^GraphGraceSearchUtil:$|str$|^FullChangeSerde|^WrappingNullableSerde|^ListValueStoreBuilder|^KStreamKTableJoinProcessor: context|KTableSource: storeName|serializer can't be null|topic cannot be null)/,
    "a rule between internal classes, which no call of the user's can break",
  ],
  [
    /^(RocksDbIndexedTimeOrderedWindowBytesStoreSupplier|OuterStreamJoinStoreFactory): /,
    "stores that only operators make; the windows they are made of are checked before",
  ],
  [
    /(grace\(\) after setting|windowsFor\(\) is not supported|Cannot compare windows|must be greater than window startMs|Either topics or pattern must be null, but both|Global stores must pass in suppliers|unsafe for use in Hash|not suitable as a hash key|namedTopology|all partitions' request|did not return exactly one|Inner class (de)?serializer|Window size should not be set in both|asOf timestamp cannot be null|^Dsl(KeyValue|Session|Window)Params|must not be a persistent store|getPosition is not implemented|^BatchingStateRestoreCallback|^ReadOnly|^SessionStore|^WindowStore:)/,
    "Weir has no such call: it cannot be written",
  ],
  [/^Printed: (filePath|Unable)/, "print writes where a function says; there is no file"],
  [/^Printed: label/, "a label that is missing is the name of the step before"],
  [
    /^(KeyQuery|TimestampedKeyQuery|VersionedKeyQuery|MultiVersionedKeyQuery): .*null/,
    "tests/state/query_test.ts",
  ],
  [/^VersionedRecord: value/, "made by stores alone, which hold no null versions"],
  [
    /^(KStreamMap|KStreamFlatMap|KTableAggregate|KTableReduce|KTableRepartitionMap|Changed(De)?[sS]erializer|StateSerdes|UsePartitionTime.*|FailOnInvalidTimestamp|KTableValueGetter): /,
    "while records are processed: tests/dsl/surface/running_misuse_test.ts and the tests of the processors",
  ],
  [
    /^KTableImpl: The partitions returned by/,
    "while records are processed: a foreign-key partitioner gives one number by its type",
  ],
  [
    /(Topics not co-partitioned|Found more than one reset duration|is already matched for another regex pattern)/,
    "known when the topics of the cluster are: tests/runtime/partition_counts_test.ts and the start of an application",
  ],
];
