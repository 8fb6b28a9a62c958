import { createHttpMixedClient, createHttpSmartClient } from "../../../node";
import { rejectionOf } from "../../support/failures";
import { freePort } from "../../support/freePort";
import { startExposure, token } from "../../support/exposure";
import { soon } from "../../support/soon";
import { duplex, gather, itemTasks } from "./itemInputDefinitions";

describe.each([
  ["Smart", createHttpSmartClient],
  ["Mixed", createHttpMixedClient],
] as const)("calls that send items over several endpoints: %s", (_name, create) => {
  const start = async () => {
    await using exposure = await startExposure(itemTasks);
    const live = `http://127.0.0.1:${exposure.port}/__runner`;
    const dead = `http://127.0.0.1:${await freePort()}/__runner`;
    await using client = create({ endpoints: [dead, live], auth: { token }, balance: ([first]) => first! });
    const task = await soon(client.task(gather, "input", { items: [1, 2, 3] }));
    const streamed: unknown[] = [];
    for await (const { item } of client.stream(duplex, {}, { items: [1, 2] })) streamed.push(item);
    return { task, streamed, failures: client.endpoints().map(({ failures }) => failures) };
  };

  it("are moved with all items where nothing listens", async () => {
    expect(await soon(start())).toEqual({
      task: { input: "input", items: [1, 2, 3] },
      streamed: [1, 2],
      failures: [2, 0],
    });
  });

  it("fail once where nothing listens anywhere, and read no item", async () => {
    const read: number[] = [];
    function* items() {
      read.push(1);
      yield 1;
    }
    const dead = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}/__runner`);
    await using client = create({ endpoints: dead });

    const error = await soon(rejectionOf(client.task(gather, "input", { items: items() })));

    expect(error).toMatchObject({ code: "ECONNREFUSED", details: { delivered: "no" } });
    expect(read).toEqual([]);
  });
});
