import { createHttpMixedClient, createHttpSmartClient } from "../../../node";
import { startExposure, token } from "../../support/exposure";
import { soon } from "../../support/soon";
import { duplex, itemTasks, noted, oneThenQuiet, reading, until } from "./itemInputDefinitions";
import { plain } from "./streamDefinitions";

describe("connections of items of the caller", () => {
  it.each([
    ["Smart", createHttpSmartClient],
    ["Mixed", createHttpMixedClient],
  ])("are none that calls of the %s client wait for", async (_name, create) => {
    await using exposure = await startExposure([...itemTasks, plain]);
    await using client = create({
      baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
      auth: { token },
      maxConnections: 1,
    });
    noted.splice(0);
    const controller = new AbortController();
    const calls = Array.from({ length: 3 }, () =>
      client.task(reading, undefined, { items: oneThenQuiet().items, signal: controller.signal }),
    );
    await until(() => noted.filter((each) => each === "item 1").length === 3);

    await expect(soon(client.task(plain))).resolves.toBe("no items");

    controller.abort();
    await Promise.allSettled(calls);
  });

  it.each([
    ["Smart", createHttpSmartClient],
    ["Mixed", createHttpMixedClient],
  ])("may be cut right after the end of a call of the %s client, which fails nothing", async (_name, create) => {
    await using exposure = await startExposure(itemTasks);
    const client = create({ baseUrl: `http://127.0.0.1:${exposure.port}/__runner`, auth: { token } });
    const seen: unknown[] = [];
    async function* items() {
      for (let item = 1; item <= 3; item += 1) {
        await until(() => seen.length === item - 1);
        yield item;
      }
    }
    for await (const { item } of client.stream(duplex, {}, { items: items() })) seen.push(item);

    await client.close({ signal: AbortSignal.abort() });
    await new Promise(setImmediate);

    expect(seen).toEqual([1, 2, 3]);
  });
});
