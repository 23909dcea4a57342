/** Which nodes hang together, as a disjoint-set forest. Kafka Streams: `QuickUnion`. */
export class NodeGroups {
  readonly #parent = new Map<string, string>();

  /** A node on its own. */
  add(name: string): void {
    this.#parent.set(name, name);
  }

  /** Puts the nodes of `others` into the group of `name`. */
  unite(name: string, others: readonly string[]): void {
    for (const other of others) {
      const a = this.#root(name);
      const b = this.#root(other);
      if (a !== b) this.#parent.set(a, b);
    }
  }

  #root(name: string): string {
    let root = name;
    for (;;) {
      const parent = this.#parent.get(root)!;
      if (parent === root) break;
      root = parent;
    }
    let node = name;
    while (node !== root) {
      const next = this.#parent.get(node)!;
      this.#parent.set(node, root);
      node = next;
    }
    return root;
  }

  /** The groups in the order in which their first node comes in `names`: so they are numbered, upstream first. */
  groups(names: Iterable<string>): string[][] {
    const byRoot = new Map<string, string[]>();
    for (const name of names) {
      const root = this.#root(name);
      const group = byRoot.get(root);
      if (group) group.push(name);
      else byRoot.set(root, [name]);
    }
    return [...byRoot.values()];
  }
}
