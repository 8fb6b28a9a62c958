import { createHttpClient, fetchExposure, r, run } from "../../../node";
import { startExposure, token } from "../../support/exposure";
import { collect, contextual, definitions, numbers, visitor } from "./streamDefinitions";

const remoteNumbers = r.task.phantom
  .stream<{ from: number; to: number }, number, { total: number }>(numbers.id)
  .build();

describe("streamed tasks that a tunnel routes", () => {
  it("give their items over HTTP as they would in process, to whatever depends on them", async () => {
    await using exposure = await startExposure(definitions, {}, [visitor]);
    const sum = r
      .task("caller.sum")
      .dependencies({ remoteNumbers })
      .run(async (input: { to: number }, dependencies) => {
        const stream = dependencies.remoteNumbers({ from: 1, to: input.to });
        let sum = 0;
        for await (const number of stream) sum += number;
        return { sum, total: (await stream.result)?.total };
      })
      .build();
    const tunnel = r.tunnel
      .client("caller.tunnel")
      .tasks([remoteNumbers])
      .http({ baseUrl: `http://127.0.0.1:${exposure.port}/__runner`, auth: { token } })
      .build();
    await using app = await run(r.resource("caller").register([remoteNumbers, sum, tunnel]).build());

    expect(await app.runTask(sum, { to: 4 })).toEqual({ sum: 10, total: 10 });
  });

  it("give their items over memory, in the contexts of their caller", async () => {
    await using served = await run(
      r
        .resource("served")
        .register([numbers, contextual, visitor, r.tunnel.server("served.tunnel").tasks([numbers, contextual]).build()])
        .build(),
    );
    const remoteContextual = r.task.phantom.stream<undefined, string>(contextual.id).build();
    const tunnel = r.tunnel.client("caller.tunnel").tasks([remoteNumbers, remoteContextual]).memory(served).build();
    await using app = await run(
      r.resource("caller").register([remoteNumbers, remoteContextual, visitor, tunnel]).build(),
    );

    const stream = app.runTask(remoteNumbers, { from: 1, to: 3 });
    expect(await collect(stream)).toEqual([1, 2, 3]);
    expect(await stream.result).toEqual({ total: 6 });
    expect(await collect(visitor.provide({ name: "Ada" }, () => app.runTask(remoteContextual)))).toEqual(
      Array.from({ length: 6 }, () => "Ada"),
    );
  });
});

it("a fetch exposure streams items, and ends the task when its caller leaves", async () => {
  const ended: string[] = [];
  const endless = r
    .task("app.forever")
    .stream(async function* () {
      try {
        for (let count = 0; ; count += 1) yield count;
      } finally {
        ended.push("finally");
      }
    })
    .build();
  const edge = fetchExposure.with({ http: { auth: { token } } });
  await using app = await run(
    r
      .resource("app")
      .register([endless, numbers, edge, r.tunnel.server("app.tunnel").tasks([endless, numbers]).build()])
      .build(),
  );
  const { fetch: serve } = app.getResourceValue(fetchExposure);
  await using client = createHttpClient({
    baseUrl: "http://edge.test/__runner",
    auth: { token },
    fetchImpl: (async (url: string, init: RequestInit) => serve(new Request(url, init))) as typeof fetch,
  });

  const stream = client.stream(numbers, { from: 1, to: 3 });
  expect(await collect(stream)).toEqual([1, 2, 3]);
  expect(await stream.result).toEqual({ total: 6 });
  for await (const count of client.stream(endless)) if (count === 5) break;
  while (ended.length === 0) await new Promise(setImmediate);

  expect(ended).toEqual(["finally"]);
});
