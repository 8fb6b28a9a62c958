import { createHttpClient, createHttpMixedClient, createHttpSmartClient, type definitions } from "../../../node";
import { createExposureFetch } from "../../../index";
import { token } from "../../support/exposure";
import { listen } from "../../support/subscribing";
import { addressOf, startSubscriptions } from "../../support/subscriptionServer";
import { placed } from "./subscriptionDefinitions";

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

describe.each(Object.entries(carriers))("a server that restarts, over %s", (_name, connect) => {
  it("subscriptions go on at the server that takes the place of one that was closed, and the gap is told", async () => {
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
