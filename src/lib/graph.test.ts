import { findCycles, findNodesOnLoops, visitDependencyFirst } from "./graph";

const edges = (graph: Record<string, string[]>) => (id: string) => graph[id] ?? [];

describe("visitDependencyFirst", () => {
  it("visitDependencyFirst visits successors before the node, each once, in written order", () => {
    const graph = edges({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] });
    const order: string[] = [];

    visitDependencyFirst("a", graph, new Map(), (id) => order.push(id));

    expect(order).toEqual(["d", "b", "c", "a"]);
  });

  it("visitDependencyFirst walks a chain of 100,000 nodes", () => {
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
  it("visitDependencyFirst says so for a loop, and not for a shared successor", () => {
    const looping = edges({ a: ["b"], b: ["c"], c: ["b"] });
    const sharing = edges({ a: ["b", "c"], b: ["c"] });

    expect(visitDependencyFirst("a", looping, new Map(), () => {})).toBe(true);
    expect(visitDependencyFirst("a", sharing, new Map(), () => {})).toBe(false);
  });
});

describe("findCycles", () => {
  it("findCycles finds nothing in a tree with shared leaves", () => {
    expect(findCycles(["a", "b", "c"], edges({ a: ["b", "c"], b: ["c"], c: [] }))).toEqual([]);
  });

  it("findCycles reports a node that depends on itself", () => {
    expect(findCycles(["a"], edges({ a: ["a"] }))).toEqual([["a", "a"]]);
  });

  it("findCycles reports each loop once, wherever it is entered", () => {
    const graph = edges({ x: ["b"], a: ["b"], b: ["c"], c: ["a"], d: ["e"], e: ["d"] });

    expect(findCycles(["x", "a", "b", "c", "d", "e"], graph)).toEqual([
      ["b", "c", "a", "b"],
      ["d", "e", "d"],
    ]);
  });
});

describe("findNodesOnLoops", () => {
  const onLoops = (graph: Record<string, string[]>) => [...findNodesOnLoops(Object.keys(graph), edges(graph))].sort();

  it("findNodesOnLoops finds loops of any length, and not what merely leads to or from them", () => {
    expect(onLoops({ a: ["b"], b: ["c"], c: ["d", "a"], d: ["e"], e: ["e", "f"], f: [], before: ["a"] })).toEqual([
      "a",
      "b",
      "c",
      "e",
    ]);
  });

  it("findNodesOnLoops finds none where paths only meet", () => {
    expect(onLoops({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] })).toEqual([]);
  });

  it("findNodesOnLoops tells loops apart that share an edge from ones that follow each other", () => {
    expect(onLoops({ a: ["b"], b: ["a", "x"], x: ["c"], c: ["d"], d: ["c", "e"], e: ["c"] })).toEqual([
      "a",
      "b",
      "c",
      "d",
      "e",
    ]);
  });

  it("findNodesOnLoops asks a chain of 100,000 nodes for its edges once each", () => {
    let asked = 0;
    const chain = (id: number) => {
      asked += 1;
      return id === 100_000 ? [50_000] : [id + 1];
    };

    expect(findNodesOnLoops([0, 1, 50_000], chain).size).toBe(50_001);
    expect(asked).toBe(100_001);
  });
});
