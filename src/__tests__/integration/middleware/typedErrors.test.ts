import { createHttpClient, Errors, r } from "../../../node/index";
import { startExposure } from "../../support/exposure";
import { rejectionOf } from "../../support/failures";
import { connect, serve, token } from "../../support/tunnelPair";

const resetTime = Date.UTC(2031, 4, 6);
const facts = { limit: 3, resetTime, retryAfterMs: 1_200 };

const limited = r
  .task("shop.limited")
  .run(async () => {
    throw Errors.rateLimitError.create(facts);
  })
  .build();
const phantom = r.task.phantom<void, void>("shop.limited").build();

describe("errors of the middleware", () => {
  it("errors of the middleware are sent without being registered, with a status and when to come back", async () => {
    await using server = await startExposure([limited]);

    const response = await server.post("/__runner/task/shop.limited");

    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("2");
    expect(await response.json()).toEqual({
      ok: false,
      error: {
        message: "Rate limit exceeded. Try again after 2031-05-06T00:00:00.000Z",
        code: "INTERNAL_ERROR",
        id: "runner.errors.rateLimit",
        data: facts,
        httpCode: 429,
      },
    });
  });

  it("errors of the middleware are thrown again as what they were, by clients of a run and by those that are given the helper", async () => {
    await using far = await serve([limited], { mode: "server", tasks: [limited] });
    const selected = { tasks: [phantom] };
    const between = r
      .task("shop.between")
      .dependencies({ phantom })
      .run(async (_input: void, { phantom: call }) => call())
      .build();
    await using middle = await connect(far.baseUrl, [phantom, between], selected);
    await using near = await startExposure([limited]);

    const error = await rejectionOf(middle.runTask(between));

    expect(Errors.rateLimitError.is(error) && error.data).toEqual(facts);
    expect([error.name, (error as { id?: string }).id]).toEqual(["RateLimitError", "runner.errors.rateLimit"]);
    const errorRegistry = new Map([[Errors.rateLimitError.id, Errors.rateLimitError]]);
    const baseUrl = `http://127.0.0.1:${near.port}/__runner`;
    await using client = createHttpClient({ baseUrl, auth: { token }, errorRegistry });
    expect(Errors.rateLimitError.is(await rejectionOf(client.task("shop.limited")))).toBe(true);
  });

  it.each([
    ["a negative number", -1],
    ["a text", "5"],
    ["no number", NaN],
    ["for ever", Infinity],
  ])("errors say nothing of when to come back if their data holds %s for it", async (_what, retryAfterMs) => {
    const odd = r.error<{ retryAfterMs: unknown }>("shop.odd").build();
    const task = r
      .task("shop.task")
      .run(async () => odd.throw({ retryAfterMs }))
      .build();
    await using server = await startExposure([task], {}, [odd]);

    const response = await server.post("/__runner/task/shop.task");

    expect([response.status, response.headers.get("retry-after")]).toEqual([500, null]);
  });
});
