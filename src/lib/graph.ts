/** Successors of a node; ids that are no nodes are ignored by the walks. */
export type EdgesOf<Node = string> = (id: Node) => readonly Node[];

interface Visit<Node = string> {
  readonly id: Node;
  readonly edges: readonly Node[];
  next: number;
}

/** What a walk knows about the nodes it has met: `true` once a node and everything below it is done. */
export type Visited<Node = string> = Map<Node, boolean>;

/**
 * Calls `visit` for every node reachable from `start`, each after its own successors, skipping those visited already.
 *
 * Iterative: graphs come from users and may be thousands of nodes deep.
 *
 * @returns whether a loop was met; the order is of no use then
 */
export function visitDependencyFirst<Node>(
  start: Node,
  edgesOf: EdgesOf<Node>,
  visited: Visited<Node>,
  visit: (id: Node) => void,
): boolean {
  if (visited.has(start)) return false;
  const startEdges = edgesOf(start);
  // Most nodes come after what they need: a walk of their own would find nothing.
  if (startEdges.every((id) => visited.get(id) === true)) {
    visited.set(start, true);
    visit(start);
    return false;
  }
  let loops = false;
  visited.set(start, false);
  const stack: Visit<Node>[] = [{ id: start, edges: startEdges, next: 0 }];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const successor = top.edges[top.next++];
    if (successor === undefined) {
      stack.pop();
      visited.set(top.id, true);
      visit(top.id);
      continue;
    }
    const done = visited.get(successor);
    if (done === false) loops = true;
    if (done !== undefined) continue;
    visited.set(successor, false);
    stack.push({ id: successor, edges: edgesOf(successor), next: 0 });
  }
  return loops;
}

/** The loops met by one depth-first walk, each as its ids from and back to its first one. */
export function findCycles(ids: Iterable<string>, edgesOf: EdgesOf): string[][] {
  const done = new Set<string>();
  const cycles = new Map<string, string[]>();
  for (const start of ids) {
    if (done.has(start)) continue;
    const path: Visit[] = [{ id: start, edges: edgesOf(start), next: 0 }];
    const depthOf = new Map([[start, 0]]);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const successor = top.edges[top.next++];
      if (successor === undefined) {
        path.pop();
        depthOf.delete(top.id);
        done.add(top.id);
        continue;
      }
      const depth = depthOf.get(successor);
      if (depth !== undefined) {
        const loop = path.slice(depth).map(({ id }) => id);
        cycles.set([...loop].sort().join("\n"), [...loop, successor]);
      } else if (!done.has(successor)) {
        depthOf.set(successor, path.length);
        path.push({ id: successor, edges: edgesOf(successor), next: 0 });
      }
    }
  }
  return [...cycles.values()];
}

/**
 * The nodes reachable from `starts` that lie on a loop, be it one edge long.
 *
 * Kosaraju's algorithm: walking the edges backwards, from the nodes that the walk along them finished last, meets one
 * strongly connected component after the other. Each edge is walked twice, and asked for once.
 */
export function findNodesOnLoops<Node>(starts: Iterable<Node>, edgesOf: EdgesOf<Node>): ReadonlySet<Node> {
  const finished: Node[] = [];
  const sources = new Map<Node, Node[]>();
  const ahead = new Map<Node, boolean>();
  const edgesAhead = (node: Node): readonly Node[] => {
    const edges = edgesOf(node);
    for (const target of edges) listIn(sources, target).push(node);
    return edges;
  };
  for (const start of starts) visitDependencyFirst(start, edgesAhead, ahead, (node) => finished.push(node));

  const onLoops = new Set<Node>();
  const back = new Map<Node, boolean>();
  for (const node of finished.reverse()) {
    const component: Node[] = [];
    visitDependencyFirst(
      node,
      (each) => sources.get(each) ?? [],
      back,
      (each) => component.push(each),
    );
    const loops = component.length > 1 || sources.get(node)?.includes(node);
    if (loops) for (const each of component) onLoops.add(each);
  }
  return onLoops;
}

/** The list under a key; an empty one is put there when there is none. */
export function listIn<Key, Value>(lists: Map<Key, Value[]>, key: Key): Value[] {
  const known = lists.get(key);
  if (known) return known;
  const list: Value[] = [];
  lists.set(key, list);
  return list;
}
