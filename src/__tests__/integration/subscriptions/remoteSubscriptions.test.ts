import { createHttpClient, createHttpMixedClient, createHttpSmartClient, type definitions } from "../../../node";
import { createExposureFetch } from "../../../index";
import { token } from "../../support/exposure";
import { listen } from "../../support/subscribing";
import { addressOf, startSubscriptions } from "../../support/subscriptionServer";
import { audited, placed, shipped } from "./subscriptionDefinitions";

type Connect = (config: { readonly baseUrl: string; readonly auth: { readonly token: string } }) => {
  subscribe(events: readonly definitions.IEvent[], options?: definitions.SubscribeOptions): AsyncIterable<unknown>;
  close(): Promise<void>;
};

const carriers: Record<string, Connect> = {
  fetch: createHttpClient,
  "fetch, JSON only": createExposureFetch,
  Smart: createHttpSmartClient,
  Mixed: createHttpMixedClient,
};

describe.each(Object.entries(carriers))("events over %s", (_name, connect) => {
  it("come in order, with values of every type that calls carry", async () => {
    await using server = await startSubscriptions({ subscribable: [placed, shipped], emittable: [audited] });
    const client = connect({ baseUrl: addressOf(server), auth: { token } });
    await using listening = await listen((options) => client.subscribe([placed, shipped], options));

    await server.app.emitEvent(placed, { order: 1, at: new Date(0) });
    await server.app.emitEvent(shipped, { parcel: "a\nb" });
    await server.app.emitEvent(placed, { order: 2 });

    expect(await listening.payloads(3)).toEqual([{ order: 1, at: new Date(0) }, { parcel: "a\nb" }, { order: 2 }]);
    await client.close();
    expect(await listening.end()).toEqual({ done: true, value: undefined });
  });

  it("go on after the connections of the server were cut, without a gap", async () => {
    await using server = await startSubscriptions({ subscribable: [placed] });
    const client = connect({ baseUrl: addressOf(server), auth: { token } });
    await using listening = await listen((options) => client.subscribe([placed], options));
    await server.app.emitEvent(placed, { order: 1 });
    await listening.next();

    server.handlers.server?.closeAllConnections();
    await server.app.emitEvent(placed, { order: 2 });

    expect((await listening.next()).payload).toEqual({ order: 2 });
    expect(listening.gaps).toEqual([]);
    await client.close();
  });

  it("go on at the server that takes the place of one that was closed, and the gap is told", async () => {
    const first = await startSubscriptions({ subscribable: [placed] });
    const client = connect({ baseUrl: addressOf(first), auth: { token } });
    await using listening = await listen((options) => client.subscribe([placed], options));
    await first[Symbol.asyncDispose]();
    await using second = await startSubscriptions(
      { subscribable: [placed] },
      { listen: { port: first.port }, auth: { token }, drain: { quietMs: 0 } },
    );
    await listening.untilOpened(2);
    await second.app.emitEvent(placed, { order: 7 });

    expect((await listening.next()).payload).toEqual({ order: 7 });
    expect(listening.gaps).toEqual([{ event: placed.id, reason: "unknown", missed: null }]);
    await client.close();
  });
});
