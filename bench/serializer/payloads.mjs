import { isDeepStrictEqual } from "node:util";

const numbered = (count, make) => Array.from({ length: count }, (_, index) => make(index));

const order = (i) => ({
  id: `order-${1000 + i}`,
  customer: { name: "Ada Lovelace", email: `ada.${i}@example.com`, vip: i % 3 === 0 },
  total: 129.5 + i,
  currency: "EUR",
  note: i % 2 === 0 ? null : 'left at the "front" door\n',
  tags: ["new", "gift", "fragile"],
});

const typedOrder = (i) => ({
  ...order(i),
  placedAt: new Date(1_700_000_000_000 + i * 86_400_000),
  prices: new Map([
    ["net", 100 + i],
    ["gross", 119 + i],
  ]),
  categories: new Set(["books", "music", `shelf-${i}`]),
});

/** A binary tree whose nodes know their parents. Denser graphs take some peers for ever. */
function tree(size) {
  const nodes = numbered(size, (i) => ({ id: i, name: `node ${i}`, parent: null, left: null, right: null }));
  for (let i = 1; i < size; i++) {
    const parent = nodes[(i - 1) >> 1];
    nodes[i].parent = parent;
    parent[i % 2 === 1 ? "left" : "right"] = nodes[i];
  }
  return nodes[0];
}

/** Whether a tree is whole; a general comparison would not end. */
function isTree(root, size) {
  const met = [root];
  for (const node of met) {
    const children = [node.left, node.right].filter((child) => child !== null);
    if (children.some((child) => child.parent !== node)) return false;
    met.push(...children);
  }
  return met.length === size && met.every((node, i) => node.id === i);
}

/** What is measured, and whether what came back is it. */
export const payloads = {
  plain1K: { make: () => ({ orders: numbered(6, order) }), isSame: isDeepStrictEqual },
  plain100K: { make: () => ({ orders: numbered(560, order) }), isSame: isDeepStrictEqual },
  typed100K: { make: () => ({ orders: numbered(340, typedOrder) }), isSame: isDeepStrictEqual },
  graph: { make: () => tree(1000), isSame: (value) => isTree(value, 1000) },
};
