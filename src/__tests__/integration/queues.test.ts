import { globals, r, run } from "../../index";
import { appOf } from "../support/appOf";
import { createDeferred } from "../support/deferred";

const { queue } = globals.resources;

describe("the queues of a run", () => {
  it("run work of one id in order, and of different ids side by side", async () => {
    const log: string[] = [];
    const gate = createDeferred();
    await using app = await run(appOf());
    const queues = app.getResourceValue(queue);

    const first = queues.run("a", async () => {
      log.push("a1 starts");
      await gate.promise;
      log.push("a1 ends");
    });
    const second = queues.run("a", async () => log.push("a2"));
    await queues.run("b", async () => log.push("b1"));
    gate.resolve();
    await Promise.all([first, second]);

    expect(log).toEqual(["a1 starts", "b1", "a1 ends", "a2"]);
    expect([...queues.map.keys()]).toEqual(["a", "b"]);
  });

  it("are drained when the run is disposed of", async () => {
    const log: string[] = [];
    const gate = createDeferred();
    const worker = r
      .resource("worker")
      .dependencies({ queue })
      .init(async (_config, { queue }) => queue)
      .build();
    const app = await run(appOf(worker));

    void app.getResourceValue(worker).run("a", async () => {
      await gate.promise;
      log.push("done");
    });
    const disposing = app.dispose().then(() => log.push("disposed"));
    gate.resolve();
    await disposing;

    expect(log).toEqual(["done", "disposed"]);
  });

  it("are apart in every run", async () => {
    await using first = await run(appOf());
    await using second = await run(appOf());

    expect(first.getResourceValue(queue)).not.toBe(second.getResourceValue(queue));
  });
});
