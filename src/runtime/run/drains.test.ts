import { createDrains } from "./drains";

const never = new Promise<void>(() => {});

describe("the drains of a run", () => {
  it("the drains of a run take as long as the longest of them, since all run at once", async () => {
    const drains = createDrains();
    const started: string[] = [];
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    for (const [name, longestMs] of [
      ["a", 10],
      ["b", 30],
      ["c", 20],
    ] as const) {
      drains.add({
        longestMs,
        drain() {
          started.push(name);
          return released;
        },
      });
    }

    const drained = drains.drainAll();

    expect([drains.longestMs, started]).toEqual([30, ["a", "b", "c"]]);
    release();
    await drained;
  });

  it("the drains of a run take no time without servers, and none for a server that was removed", async () => {
    const drains = createDrains();
    const remove = drains.add({ longestMs: 10, drain: () => never });

    remove();
    remove();

    expect(drains.longestMs).toBe(0);
    await drains.drainAll();
  });

  it("the drains of a run do not fail for a server that fails", async () => {
    const drains = createDrains();
    drains.add({
      longestMs: 0,
      drain() {
        throw new Error("cannot stop");
      },
    });

    await drains.drainAll();
  });
});
