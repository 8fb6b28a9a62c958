import { randomUUID } from "node:crypto";
import { createHttpClient } from "@bluelibs/runner";
import { createHttpMixedClient, createNodeFile } from "@bluelibs/runner/node";
import { edgeToken, outOfStock, renamed, tasks } from "../edgeApp";
import { patternOf, sha256Of, type EdgeUnderTest } from "./edgeUnderTest";

/** Events, and the clients of this package. */
export function clientCases({ title, send, untilMarked, limits, baseUrl: edgeUrl }: EdgeUnderTest): void {
  it(title("emits events"), async () => {
    const name = randomUUID();
    const reply = await send(`/__runner/event/${renamed.id}`, {
      method: "POST",
      headers: { "x-runner-token": edgeToken },
      body: JSON.stringify({ payload: { name }, returnPayload: true }),
    });

    expect(await reply.json()).toEqual({ ok: true, result: { name } });
    await untilMarked(`renamed ${name}`);
  });

  if (limits.withoutSocket === true) return;
  it(title("is called by the clients of this package"), async () => {
    const baseUrl = edgeUrl();
    const errorRegistry = new Map([[outOfStock.id, outOfStock]]);
    const universal = createHttpClient({ baseUrl, auth: { token: edgeToken }, errorRegistry });
    await using mixed = createHttpMixedClient({ baseUrl, auth: { token: edgeToken }, errorRegistry });
    const bytes = Buffer.from(patternOf(300_000));

    expect(await universal.task(tasks.add.id, { a: 1, b: 2 })).toBe(3);
    const caught: unknown = await mixed.task(tasks.outOfStock.id, "tea").catch((error: unknown) => error);
    expect(outOfStock.is(caught) && caught.data).toEqual({ sku: "tea", since: new Date(0) });
    const files = [createNodeFile({ name: "a.bin" }, { buffer: bytes })];
    expect(await mixed.task(tasks.upload.id, { files })).toMatchObject({
      described: [{ name: "a.bin", length: 300_000, sha256: sha256Of(bytes) }],
    });
    for (const client of [universal, mixed]) {
      const stream = client.stream(tasks.rows, { from: 1, to: 3 });
      const ids: number[] = [];
      for await (const { id, at } of stream) ids.push(id + at.getTime());
      expect([ids, await stream.result]).toEqual([[2, 4, 6], { total: 3 }]);
      const items = [1, 2].map((id) => ({ id, at: new Date(id) }));
      expect(await client.task(tasks.collect, "sent", { items })).toEqual({ from: "sent", ids: [2, 4] });
    }
  });

  it(title("answers the calls that a client makes in one turn, of one request"), async () => {
    const paths: string[] = [];
    await using client = createHttpClient({
      baseUrl: edgeUrl(),
      auth: { token: edgeToken },
      batch: true,
      fetchImpl: (url, init) => {
        paths.push(new URL(String(url)).pathname);
        return fetch(url, init);
      },
    });

    const sums = await Promise.all([1, 2, 3].map((a) => client.task(tasks.add, { a, b: 1 })));

    expect(sums).toEqual([2, 3, 4]);
    expect(paths).toEqual(["/__runner/batch"]);
  });

  if (limits.withoutCrossRequestPromises === true) return;
  it(title("lets its subscribers hear what later requests emit"), async () => {
    await using client = createHttpMixedClient({ baseUrl: edgeUrl(), auth: { token: edgeToken } });
    const events = client.subscribe([renamed])[Symbol.asyncIterator]();
    let isHeard = false;
    let heard = events.next().finally(() => (isHeard = true));
    // What is emitted before the subscription has begun is not for it.
    while (!isHeard) await client.event(renamed, { name: "begin" });
    await heard;

    const name = randomUUID();
    await client.event(renamed, { name });
    do heard = events.next();
    while ((await heard).value?.payload.name === "begin");

    expect((await heard).value).toMatchObject({ event: renamed.id, payload: { name } });
    await events.return?.();
  });
}
