/** A process that runs a published package: serves the application, and plays its clients' part in scenarios. */
import { createRequire } from "node:module";
import { createShared, serveInterop, type Package } from "./interopApp";
import type { Perform, Reply } from "./publishedPeer";
import { scenarios } from "./scenarios";

const [, , published = ""] = process.argv;
const runner = createRequire(import.meta.url)(`${published}/node`) as Package;
const shared = createShared(runner);
const served = await serveInterop(runner, shared);

const reply = (message: Reply): void => void process.send?.(message);

process.on("message", ({ id, scenario, kind, baseUrl, parameters }: Perform) => {
  const play = scenarios[scenario] as (...args: unknown[]) => Promise<unknown>;
  play({ runner, shared, kind, baseUrl }, ...parameters).then(
    (value) => reply({ id, value }),
    (error: unknown) => reply({ id, error: String((error as Error).stack) }),
  );
});
// Its parent has gone, or is done with it. Its sockets are of no use to anybody: nothing is waited for.
process.on("disconnect", () => process.exit());
reply({ id: 0, value: served.baseUrl });
