/**
 * The order in which Java's HashSet and HashMap give strings back. Kafka Streams keeps the stores of a processor in such a set, so
 * the order in which they are opened, flushed and described is this one, and equal results need equal order.
 *
 * @module
 */

/** Java's `String.hashCode`. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** Java's `TopicPartition.hashCode`. */
export function javaPartitionHash(topic: string, partition: number): number {
  return (31 * (31 + partition) + javaStringHash(topic)) | 0;
}

/** The distinct `names`, inserted in the given order into an empty HashMap, in its iteration order. */
export function javaHashOrder(
  names: Iterable<string>,
  hashOf: (name: string) => number = javaStringHash,
): string[] {
  const distinct = [...new Set(names)];
  let capacity = 16;
  while (distinct.length > capacity * 0.75) capacity *= 2;
  const bucket = (name: string) => {
    const hash = hashOf(name);
    return (hash ^ (hash >>> 16)) & (capacity - 1);
  };
  return distinct
    .map((name, index) => ({ name, index, bucket: bucket(name) }))
    .sort((a, b) => a.bucket - b.bucket || a.index - b.index)
    .map((entry) => entry.name);
}
