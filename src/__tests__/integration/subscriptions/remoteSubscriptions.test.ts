import { createHttpMixedClient } from "../../../node";
import { createDeferred } from "../../support/deferred";
import { token } from "../../support/exposure";
import { addressOf, startSubscriptions } from "../../support/subscriptionServer";
import { audited, placed, shipped } from "./subscriptionDefinitions";

it("events of the server are heard in order, with their payloads", async () => {
  await using server = await startSubscriptions({ subscribable: [placed, shipped], emittable: [audited] });
  await using client = createHttpMixedClient({ baseUrl: addressOf(server), auth: { token } });
  const heard: unknown[] = [];
  const opened = createDeferred<void>();
  const listening = (async () => {
    for await (const { event, payload } of client.subscribe([placed, shipped], { onOpen: () => opened.resolve() })) {
      heard.push([event, payload]);
      if (heard.length === 3) break;
    }
  })();
  await opened.promise;

  await server.app.emitEvent(placed, { order: 1, at: new Date(0) });
  await server.app.emitEvent(shipped, { parcel: "a" });
  await server.app.emitEvent(placed, { order: 2 });
  await listening;

  expect(heard).toEqual([
    [placed.id, { order: 1, at: new Date(0) }],
    [shipped.id, { parcel: "a" }],
    [placed.id, { order: 2 }],
  ]);
});
