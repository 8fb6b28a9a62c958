import { createHttpClient, createHttpMixedClient, createHttpSmartClient } from "../../node";
import { begin } from "../support/subscribing";
import { token, type Published } from "./interopApp";
import { startPublished, type PublishedPeer } from "./publishedPeer";

const peersOf: readonly Published[] = ["runner-52", "runner-55"];
const clients = { fetch: createHttpClient, smart: createHttpSmartClient, mixed: createHttpMixedClient };

let peers: Record<Published, PublishedPeer>;

beforeAll(async () => {
  const [v52, v55] = await Promise.all([startPublished("runner-52"), startPublished("runner-55")]);
  peers = { "runner-52": v52, "runner-55": v55 };
});
afterAll(async () => {
  await Promise.all(Object.values(peers).map((peer) => peer[Symbol.asyncDispose]()));
});

const newToOld = peersOf.flatMap((published) =>
  (["fetch", "smart", "mixed"] as const).map((kind) => [published, kind] as const),
);

it.each(newToOld)(
  "a server of %s ends a subscription of our %s client with SUBSCRIPTIONS_UNSUPPORTED, and the client goes on",
  async (published, kind) => {
    await using client = clients[kind]({ baseUrl: peers[published].baseUrl, auth: { token } });
    await using listening = begin((options) => client.subscribe(["interop.events.any"], options));

    await expect(listening.next()).rejects.toMatchObject({
      code: "SUBSCRIPTIONS_UNSUPPORTED",
      message: expect.stringContaining("older") as string,
    });
    await expect(client.task("interop.tasks.echo", "after")).resolves.toBe("after");
  },
);
