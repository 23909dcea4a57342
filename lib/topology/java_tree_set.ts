interface Entry<T> {
  readonly item: T;
  left: Entry<T> | null;
  right: Entry<T> | null;
  parent: Entry<T> | null;
  isRed: boolean;
}

/**
 * A sorted set that compares only on the way down when an item is added, as Java's TreeSet. Kafka Streams' `describe()` keeps nodes in
 * such sets by a size that still grows while they are filled, so the order depends on the shape of the tree: it has to be that of Java.
 */
export class JavaTreeSet<T> implements Iterable<T> {
  readonly #compare: (a: T, b: T) => number;
  #root: Entry<T> | null = null;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  add(item: T): void {
    let parent: Entry<T> | null = null;
    let at = this.#root;
    let order = 0;
    while (at !== null) {
      parent = at;
      order = this.#compare(item, at.item);
      if (order === 0) return;
      at = order < 0 ? at.left : at.right;
    }
    const entry: Entry<T> = { item, left: null, right: null, parent, isRed: true };
    if (parent === null) this.#root = entry;
    else if (order < 0) parent.left = entry;
    else parent.right = entry;
    this.#balance(entry);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield* inOrder(this.#root);
  }

  /** Restores the red-black rules. Java: `TreeMap.fixAfterInsertion`. */
  #balance(added: Entry<T>): void {
    let entry = added;
    while (entry.parent?.isRed) {
      const parent: Entry<T> = entry.parent;
      const grand = parent.parent!;
      const isLeft = parent === grand.left;
      const uncle = isLeft ? grand.right : grand.left;
      if (uncle?.isRed) {
        parent.isRed = false;
        uncle.isRed = false;
        grand.isRed = true;
        entry = grand;
        continue;
      }
      if (entry === (isLeft ? parent.right : parent.left)) {
        entry = parent;
        this.#rotate(entry, isLeft ? "left" : "right");
      }
      entry.parent!.isRed = false;
      grand.isRed = true;
      this.#rotate(grand, isLeft ? "right" : "left");
    }
    this.#root!.isRed = false;
  }

  #rotate(entry: Entry<T>, towards: "left" | "right"): void {
    const away = towards === "left" ? "right" : "left";
    const raised = entry[away]!;
    entry[away] = raised[towards];
    if (raised[towards] !== null) raised[towards].parent = entry;
    raised.parent = entry.parent;
    if (entry.parent === null) this.#root = raised;
    else if (entry.parent.left === entry) entry.parent.left = raised;
    else entry.parent.right = raised;
    raised[towards] = entry;
    entry.parent = raised;
  }
}

function* inOrder<T>(entry: Entry<T> | null): IterableIterator<T> {
  if (entry === null) return;
  yield* inOrder(entry.left);
  yield entry.item;
  yield* inOrder(entry.right);
}
