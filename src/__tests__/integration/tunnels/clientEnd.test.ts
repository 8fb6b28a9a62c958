import { r } from "../../../node";
import { clientKinds, nodeClientKinds } from "../../support/clientKinds";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { sendJson, startPeer, startStreamingPeer } from "../../support/httpPeer";

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe.each(nodeClientKinds)("what happens while a call waits for a hook: %s", (_name, create) => {
  it("while a call waits for a hook, an abort ends it, also with a time limit", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 1 }));
    const controller = new AbortController();
    const reason = new Error("enough");
    const context = r
      .asyncContext<string>("app.aborting")
      .serialize(() => {
        controller.abort(reason);
        return "x";
      })
      .build();
    await using client = create({ baseUrl: peer.baseUrl, timeoutMs: 5000, contexts: [context] });

    const call = context.provide("x", () => client.task("t", 1, { signal: controller.signal }));

    expect(await rejectionOf(call)).toBe(reason);
    expect(peer.received).toEqual([]);
  });

  it("while a call waits for a hook, closing the client waits for it", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 1 }));
    const hook = createDeferred();
    const client = create({ baseUrl: peer.baseUrl, onRequest: () => hook.promise });
    const call = client.task("t", 1);

    const closing = client.close();
    hook.resolve();

    expect(await call).toBe(1);
    await closing;
  });

  it("while a call waits for a hook, closing the client without waiting fails it", async () => {
    await using peer = await startPeer((_request, response) => sendJson(response, { ok: true, result: 1 }));
    const hook = createDeferred();
    const client = create({ baseUrl: peer.baseUrl, onRequest: () => hook.promise });
    const call = rejectionOf(client.task("t", 1));

    await client.close({ signal: AbortSignal.abort() });
    hook.resolve();

    expect(await call).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(peer.received).toEqual([]);
  });
});

it.each(clientKinds)("closing without waiting ends calls wherever they hang: %s", async (_name, create) => {
  await using silent = await startStreamingPeer(() => {});
  const inFlight = create({ baseUrl: silent.baseUrl });
  const inHook = create({ baseUrl: silent.baseUrl, onRequest: () => new Promise(() => {}) });

  for (const client of [inFlight, inHook]) {
    const call = rejectionOf(client.task("t", 1));
    await settled();
    await client.close({ signal: AbortSignal.timeout(20) });

    expect(await call).toMatchObject({ code: "CLIENT_CLOSED" });
  }
});
