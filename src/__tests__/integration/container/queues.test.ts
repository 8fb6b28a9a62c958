import { globals, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";

const { queue } = globals.resources;

describe("the queues of a run", () => {
  it("the queues of a run run work of one id in order, and of different ids side by side", async () => {
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
  });

  it("the queues of a run are kept for as long as they have work, failed work included", async () => {
    const gate = createDeferred();
    await using app = await run(appOf());
    const queues = app.getResourceValue(queue);

    const first = queues.run("a", () => gate.promise);
    const second = queues.run("a", () => Promise.reject(new Error("boom")));
    await queues.run("b", async () => {});
    const whileWorking = [...queues.map.keys()];
    // Refused at once, and no reason to forget the work around it.
    const nested = queues.run("c", () => rejectionOf(queues.run("c", async () => {})).then(() => queues.map.has("c")));
    gate.resolve();
    await Promise.allSettled([first, second]);

    expect(whileWorking).toEqual(["a"]);
    expect(await nested).toBe(true);
    expect(queues.map.size).toBe(0);
  });

  it("the queues of a run take no work once the run is disposed of", async () => {
    const app = await run(appOf());
    const queues = app.getResourceValue(queue);
    const work = jest.fn(async () => {});
    await app.dispose();

    const error = await rejectionOf(queues.run("a", work));

    expect(error.message).toBe("Queue has been disposed");
    expect(work).not.toHaveBeenCalled();
  });

  it("the queues of a run are drained when the run is disposed of", async () => {
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

  it("the queues of a run are apart in every run", async () => {
    await using first = await run(appOf());
    await using second = await run(appOf());

    expect(first.getResourceValue(queue)).not.toBe(second.getResourceValue(queue));
  });
});
