import { constants, PerformanceObserver, type PerformanceEntry } from "node:perf_hooks";
import { createCollectionPace } from "./collectionPace";

/** The types of Node leave the details of an entry out. */
interface GcEntry {
  readonly detail: { readonly kind: number };
}

/** Garbage collections of one kind while something runs. */
async function countCollections(kind: number, run: () => void): Promise<number> {
  let count = 0;
  const take = (entries: readonly PerformanceEntry[]): void => {
    count += entries.filter((entry) => (entry as unknown as GcEntry).detail.kind === kind).length;
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  run();
  // Entries are queued after the collection that they tell of.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  take(observer.takeRecords());
  observer.disconnect();
  return count;
}

const pass = (chunks: number, bytes: number) => (): void => {
  const paceCollections = createCollectionPace();
  for (let chunk = 0; chunk < chunks; chunk++) paceCollections(bytes);
};

it("a link that passes 256 MB of buffers on has minor collections free them on the way", async () => {
  const minor = await countCollections(constants.NODE_PERFORMANCE_GC_MINOR, pass(4_096, 65_536));
  expect(minor).toBeGreaterThanOrEqual(8);
});

it("a link that passes little on has no collection run for it", async () => {
  expect(await countCollections(constants.NODE_PERFORMANCE_GC_MINOR, pass(1_000, 60))).toBeLessThanOrEqual(1);
});

it("a link that receives 32 MB at once, as for visitors who read nothing, has no collection run for it", async () => {
  expect(await countCollections(constants.NODE_PERFORMANCE_GC_MINOR, pass(512, 65_536))).toBeLessThanOrEqual(1);
});
