import { loadOnce } from "./loadOnce";

it("what was loaded is there for all who ask, and loaded once", async () => {
  let loads = 0;
  const get = loadOnce(async () => (loads += 1));

  expect(await Promise.all([get(), get()])).toEqual([1, 1]);
  expect(await get()).toBe(1);
});

it("a load that failed is tried again by the next who asks", async () => {
  let loads = 0;
  const get = loadOnce(async () => {
    loads += 1;
    if (loads === 1) throw new Error("offline");
    return "loaded";
  });

  await expect(Promise.all([get(), get()])).rejects.toThrow("offline");
  expect(await get()).toBe("loaded");
});
