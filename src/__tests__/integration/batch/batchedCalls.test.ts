import { startBatchTest } from "./batchDefinitions";

describe("a client that batches", () => {
  it("sends the calls of one turn in one request, and gives each its own reply", async () => {
    await using test = await startBatchTest();
    await using client = test.connect();

    const results = await Promise.all([
      client.task("batch.echo", { a: 1, at: new Date(0) }),
      client.safe("batch.sell", "tea"),
      client.safe("batch.crash"),
      client.eventWithResult("batch.emitted", { value: 1 }),
    ]);

    expect(results).toMatchObject([
      { a: 1, at: new Date(0) },
      { ok: false, error: { id: "batch.soldOut", data: { sku: "tea" } } },
      { ok: false, error: { code: "INTERNAL_ERROR", requestId: expect.stringMatching(/\.2$/) as string } },
      { value: 2 },
    ]);
    expect(test.requests).toEqual(["/__runner/batch"]);
  });
});
