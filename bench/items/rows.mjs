/** What one stream brings: `count` items, each `bytes` long as JSON. */
export function* rowsOf(kind, count) {
  const padding = kind === "small" ? "" : "abcdefghij".repeat(94);
  for (let id = 0; id < count; id++) {
    yield padding === ""
      ? { id, name: "a row of some text", on: true }
      : { id, name: "a row of some text", text: padding };
  }
}

/** Counts the items of a stream, and fails when one between them is missing. */
export async function countRows(items) {
  let last = -1;
  for await (const { id } of items) {
    if (id !== last + 1) throw new Error(`Item ${last + 1} is missing.`);
    last = id;
  }
  return last + 1;
}

/** Reads a stream, and fails when an item is missing: a peer that skips is no faster. */
export async function drain(items, count) {
  const arrived = await countRows(items);
  if (arrived !== count) throw new Error(`The stream ended after ${arrived} of ${count} items.`);
}
