import {
  createExposureFetch,
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  globals,
  r,
  run,
  TunnelError,
  type HttpClientConfig,
} from "../../../node";
import { rejectionOf } from "../../support/failures";
import { sendJson, startPeer, type Answer } from "../../support/httpPeer";

const clients = [
  ["createHttpClient", createHttpClient],
  ["createExposureFetch", createExposureFetch],
  ["Smart", createHttpSmartClient],
  ["Mixed", createHttpMixedClient],
] as const;

const refuse: Answer = (_request, response) =>
  sendJson(response, { ok: false, error: { code: "UNAUTHORIZED", message: "Unauthorized" } }, 401);
const failures: [string, Answer, Partial<HttpClientConfig>, RegExp][] = [
  ["that is refused", refuse, {}, /^Unauthorized\n/],
  ["that finds a page", (_request, response) => response.writeHead(404).end("no"), {}, /^Tunnel HTTP 404 Not Found\n/],
  [
    "whose reply is no JSON",
    (_request, response) => response.writeHead(200, { "content-type": "application/json" }).end("{bad"),
    {},
    /\n/,
  ],
  ["that loses its connection", (request) => request.socket.destroy(), {}, /\n/],
  [
    "that takes too long",
    () => {},
    { timeoutMs: 50 },
    /^(This operation was aborted\n {2}no reply within 50 ms|Tunnel request timeout after 50ms)\n/,
  ],
  [
    "whose reply is too large",
    (_request, response) => sendJson(response, { ok: true, result: "x".repeat(200) }),
    {
      maxReplyBytes: 100,
    },
    /^Tunnel reply is larger than 100 bytes\.\n {2}the limit is maxReplyBytes\n/,
  ],
];
const add = r.task.phantom<{ a: number }, number>("shop.tasks.add").build();
const placed = r.event<{ sku: string }>("shop.events.placed").build();

describe.each(clients)("the error of a call by %s", (_name, create) => {
  it.each(failures)(
    "the error of a call %s says which call it was, and which tunnel routed it",
    async (_what, answer, config, first) => {
      await using peer = await startPeer(answer);
      await using client = create({ baseUrl: peer.baseUrl, ...config });
      const tunnel = r
        .resource("shop.tunnels.remote")
        .tags([globals.tags.tunnel])
        .init(async () => ({ mode: "client" as const, tasks: [add], events: [placed], client }))
        .build();
      await using app = await run(r.resource("shop").register([add, placed, tunnel]).build(), {
        shutdownHooks: false,
        errorBoundary: false,
        logs: { printThreshold: null },
      });

      const errors = [
        await rejectionOf(app.runTask(add, { a: 1 })),
        await rejectionOf(app.emitEvent(placed, { sku: "tea" })),
      ];

      const { origin } = new URL(peer.baseUrl);
      for (const [at, { message, stack }] of errors.entries()) {
        const [kind, id] = at === 0 ? ["task", add.id] : ["event", placed.id];
        expect(message).toMatch(first);
        expect(message).toContain(`  ${kind} "${id}": POST ${origin}/__runner/${kind}/${id}\n`);
        expect(message).toContain('  routed by tunnel "shop.tunnels.remote"');
        expect(stack).toContain(message);
      }
    },
  );

  it("the error of a call says so of every call that waited for one connection", async () => {
    await using client = create({ baseUrl: "http://127.0.0.1:1/__runner" });

    const errors = await Promise.all(["a", "b", "c"].map((id) => rejectionOf(client.task(id))));

    expect(
      errors.map(({ message }) =>
        /task "(.)": POST http:\/\/127\.0\.0\.1:1\/__runner\/task\/(.)$/.exec(message)?.slice(1),
      ),
    ).toEqual([
      ["a", "a"],
      ["b", "b"],
      ["c", "c"],
    ]);
  });

  it("the error of a call says so of every call that closing cut short", async () => {
    await using peer = await startPeer(() => {});
    const client = create({ baseUrl: peer.baseUrl });

    const calls = ["a", "b"].map((id) => rejectionOf(client.task(id)));
    await new Promise(setImmediate);
    await client.close({ signal: AbortSignal.abort() });

    for (const [at, error] of (await Promise.all(calls)).entries()) {
      expect(error).toMatchObject({ code: "CLIENT_CLOSED" });
      expect(error.message).toContain(`task "${at === 0 ? "a" : "b"}"`);
    }
  });

  it("the error of a call is the caller's own where the caller ended it, word for word", async () => {
    const soldOut = r
      .error<{ sku: string }>("shop.soldOut")
      .format(({ sku }) => `${sku} is sold out`)
      .build();
    await using peer = await startPeer((_request, response) =>
      sendJson(response, {
        ok: false,
        error: { code: "INTERNAL_ERROR", message: "m", id: soldOut.id, data: { sku: "tea" } },
      }),
    );
    const hook = new Error("no token today");
    const hooked = create({ baseUrl: peer.baseUrl, onRequest: () => Promise.reject(hook) });
    const known = create({ baseUrl: peer.baseUrl, errorRegistry: new Map([[soldOut.id, soldOut]]) });
    const reason = new Error("enough");

    expect(await rejectionOf(hooked.task("t"))).toBe(hook);
    expect(hook.message).toBe("no token today");
    expect(await rejectionOf(known.task("t", 1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(reason.message).toBe("enough");
    // Its message may travel on to whoever calls this process.
    expect((await rejectionOf(known.task("t"))).message).toBe("tea is sold out");
    expect({ ...(await rejectionOf(create({ baseUrl: peer.baseUrl }).task("t"))) }).toEqual({
      name: "TunnelError",
      code: "INTERNAL_ERROR",
      id: soldOut.id,
      data: { sku: "tea" },
    });
    expect(await rejectionOf(create({ baseUrl: peer.baseUrl }).task("t"))).toBeInstanceOf(TunnelError);
  });
});

it.each([
  ["Smart", createHttpSmartClient],
  ["Mixed", createHttpMixedClient],
] as const)(
  "a call by %s over https to a server of http says so, in one line before the call",
  async (_name, create) => {
    await using peer = await startPeer(() => {});
    const baseUrl = peer.baseUrl.replace("http:", "https:");
    await using client = create({ baseUrl });

    const error = await rejectionOf(client.task(add, { a: 1 }));

    expect(error).toMatchObject({ code: "ERR_SSL_WRONG_VERSION_NUMBER" });
    expect(error.message).toBe(
      "wrong version number: the server does not speak TLS, its address begins with http://\n" +
        `  task "shop.tasks.add": POST ${baseUrl}/task/shop.tasks.add`,
    );
  },
);
