import { createHttpClient, createHttpMixedClient } from "../../node";
import { token, type Published } from "./interopApp";
import { startPublished, type PublishedPeer } from "./publishedPeer";

const peersOf: readonly Published[] = ["runner-52", "runner-55"];
const clients = { fetch: createHttpClient, mixed: createHttpMixedClient };

let peers: Record<Published, PublishedPeer>;
beforeAll(async () => {
  const [v52, v55] = await Promise.all([startPublished("runner-52"), startPublished("runner-55")]);
  peers = { "runner-52": v52, "runner-55": v55 };
});
afterAll(() => Promise.all(Object.values(peers).map((peer) => peer[Symbol.asyncDispose]())));

const rows = peersOf.flatMap((published) => (["fetch", "mixed"] as const).map((kind) => [published, kind] as const));

describe.each(rows)("a server of %s, and our %s client that batches", (published, kind) => {
  it("answers the calls of one turn, which go one by one", async () => {
    const asked: string[] = [];
    const fetchImpl: typeof fetch = (url, init) => {
      asked.push(new URL(String(url)).pathname);
      return fetch(url, init);
    };
    await using client = clients[kind]({
      baseUrl: peers[published].baseUrl,
      auth: { token },
      batch: true,
      ...(kind === "fetch" && { fetchImpl }),
    });
    const callAll = () =>
      Promise.all([
        client.task("interop.tasks.echo", 1),
        client.task("interop.tasks.echo", { at: new Date(0) }),
        client.safe("interop.tasks.unlisted"),
      ]);

    const expected = [1, { at: new Date(0) }, { ok: false, error: { code: "FORBIDDEN" } }];
    expect(await callAll()).toMatchObject(expected);
    expect(await callAll()).toMatchObject(expected);
    if (kind === "fetch") expect(asked.filter((path) => path === "/__runner/batch")).toHaveLength(1);
  });
});
