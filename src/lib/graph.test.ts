import { findCycles, visitDependencyFirst } from "./graph";

const edges = (graph: Record<string, string[]>) => (id: string) => graph[id] ?? [];

describe("visitDependencyFirst", () => {
  it("visits successors before the node, each once, in written order", () => {
    const graph = edges({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] });
    const order: string[] = [];

    visitDependencyFirst("a", graph, new Map(), (id) => order.push(id));

    expect(order).toEqual(["d", "b", "c", "a"]);
  });

  it("walks a chain of 100,000 nodes", () => {
    let visits = 0;

    visitDependencyFirst(
      "0",
      (id) => (id === "100000" ? [] : [String(Number(id) + 1)]),
      new Map(),
      () => (visits += 1),
    );

    expect(visits).toBe(100_001);
  });
});

describe("visitDependencyFirst on loops", () => {
  it("says so for a loop, and not for a shared successor", () => {
    const looping = edges({ a: ["b"], b: ["c"], c: ["b"] });
    const sharing = edges({ a: ["b", "c"], b: ["c"] });

    expect(visitDependencyFirst("a", looping, new Map(), () => {})).toBe(true);
    expect(visitDependencyFirst("a", sharing, new Map(), () => {})).toBe(false);
  });
});

describe("findCycles", () => {
  it("finds nothing in a tree with shared leaves", () => {
    expect(findCycles(["a", "b", "c"], edges({ a: ["b", "c"], b: ["c"], c: [] }))).toEqual([]);
  });

  it("reports a node that depends on itself", () => {
    expect(findCycles(["a"], edges({ a: ["a"] }))).toEqual([["a", "a"]]);
  });

  it("reports each loop once, wherever it is entered", () => {
    const graph = edges({ x: ["b"], a: ["b"], b: ["c"], c: ["a"], d: ["e"], e: ["d"] });

    expect(findCycles(["x", "a", "b", "c", "d", "e"], graph)).toEqual([
      ["b", "c", "a", "b"],
      ["d", "e", "d"],
    ]);
  });
});
