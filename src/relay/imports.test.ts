import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

it("the protocol of reverse tunnels imports nothing but itself, lib and errors, and no module of Node", () => {
  const sources = readdirSync(__dirname).filter((name) => /\.ts$/.test(name) && !/\.test(-d)?\.ts$/.test(name));
  const imported = sources.flatMap((name) =>
    [...readFileSync(join(__dirname, name), "utf8").matchAll(/(?:from|import|require)\s*\(?\s*"([^"]+)"/g)].map(
      ([, path = ""]) => path,
    ),
  );

  expect(sources.length).toBeGreaterThan(20);
  expect(imported.filter((path) => !/^\.\/\w+$|^\.\.\/(lib|errors)\//.test(path))).toEqual([]);
});
