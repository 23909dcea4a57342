/**
 * An update of a table's row: the new value and, where somebody downstream needs it, the old one.
 * Kafka Streams: `kstream.internals.Change`.
 */
export class Change<V = unknown> {
  readonly newValue: V | null;
  readonly oldValue: V | null;
  /** False for an out-of-order update of a versioned table: a newer version of the row exists. */
  readonly isLatest: boolean;
  constructor(newValue: V | null, oldValue: V | null, isLatest = true) {
    this.newValue = newValue;
    this.oldValue = oldValue;
    this.isLatest = isLatest;
  }
}
