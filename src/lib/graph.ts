/** Successors of a node; ids that are no nodes are ignored by the walks. */
export type EdgesOf = (id: string) => readonly string[];

interface Visit {
  readonly id: string;
  readonly edges: readonly string[];
  next: number;
}

/** What a walk knows about the nodes it has met: `true` once a node and everything below it is done. */
export type Visited = Map<string, boolean>;

/**
 * Calls `visit` for every node reachable from `start`, each after its own successors, skipping those visited already.
 *
 * Iterative: graphs come from users and may be thousands of nodes deep.
 *
 * @returns whether a loop was met; the order is of no use then
 */
export function visitDependencyFirst(
  start: string,
  edgesOf: EdgesOf,
  visited: Visited,
  visit: (id: string) => void,
): boolean {
  if (visited.has(start)) return false;
  const startEdges = edgesOf(start);
  if (startEdges.length === 0) {
    visited.set(start, true);
    visit(start);
    return false;
  }
  let loops = false;
  visited.set(start, false);
  const stack: Visit[] = [{ id: start, edges: startEdges, next: 0 }];
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
