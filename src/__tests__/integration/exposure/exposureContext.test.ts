import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { r, useExposureContext, type ExposureRequestContextValue } from "../../../node/index";
import { startExposure, token } from "../../support/exposure";
import { thrownBy } from "../../support/failures";

const task = (id: string, run: () => unknown) =>
  r
    .task(id)
    .run(async () => run())
    .build();

/** Runs something with the context of a request. */
async function inContext<T>(look: (context: ExposureRequestContextValue) => T): Promise<T> {
  let found: { readonly value: T } | undefined;
  const looks = task("look", () => {
    found = { value: look(useExposureContext()) };
  });
  await using exposure = await startExposure([looks]);
  const reply = await exposure.post("/__runner/task/look?q=1", "{}", { cookie: "a=1; b=%20x", "x-own": "yes" });
  expect(reply.status).toBe(200);
  return (found as unknown as { readonly value: T }).value;
}

const names = ["basePath", "cookies", "headers", "method", "req", "res", "signal", "url"];

describe("The context of a request", () => {
  it("The context of a request has its cookies and its URL, with a host that no caller can forge", async () => {
    const seen = await inContext(({ cookies, url, basePath }) => ({
      cookies: { ...cookies },
      href: url.href,
      basePath,
    }));

    expect(seen).toEqual({
      cookies: { a: "1", b: " x" },
      href: "http://localhost/__runner/task/look?q=1",
      basePath: "/__runner",
    });
  });

  it("The context of a request gives all of its members to a copy that is spread out of it", async () => {
    const [copy, context] = await inContext((found) => [{ ...found }, found] as const);

    expect(Object.keys(copy).sort()).toEqual(names);
    for (const name of names as (keyof ExposureRequestContextValue)[]) expect(copy[name]).toBe(context[name]);
    expect([copy.method, copy.headers["x-own"], copy.url.search]).toEqual(["POST", "yes", "?q=1"]);
    expect(copy.signal).toBeInstanceOf(AbortSignal);
  });

  it.each<[string, (context: ExposureRequestContextValue) => readonly string[]]>([
    ["Object.keys", (context) => Object.keys(context)],
    ["Object.assign", (context) => Object.keys(Object.assign({}, context))],
    ["for in", (context) => keysIn(context)],
    ["the rest of a destructuring", ({ ...rest }) => Object.keys(rest)],
  ])("The context of a request lists its members: %s", async (_way, list) => {
    expect([...(await inContext(list))].sort()).toEqual(names);
  });

  it("The context of a request is one object for all who ask in one call, and keeps what they put on it", async () => {
    const seen = await inContext((context) => {
      Object.assign(context, { user: "Ada" });
      return [useExposureContext() === context, { ...useExposureContext() }];
    });

    expect(seen).toMatchObject([true, { user: "Ada", method: "POST" }]);
  });

  it("The context of a request lets no member be replaced", async () => {
    const error = await inContext((context) => thrownBy(() => Object.assign(context, { res: {} })));

    expect(error).toBeInstanceOf(TypeError);
  });

  it("A task of a mounted exposure finds the AsyncLocalStorage of what passes requests on, with its body read before", async () => {
    const storage = new AsyncLocalStorage<string>();
    const looks = r
      .task("look")
      .run(async (input: string) => [input, storage.getStore()])
      .build();
    await using exposure = await startExposure([looks], { listen: undefined });
    const listener: RequestListener = exposure.handlers.createRequestListener();
    const server = createServer((req, res) => storage.run(`request of ${req.url}`, () => listener(req, res)));
    await once(server.listen(0, "127.0.0.1"), "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const reply = await fetch(`http://127.0.0.1:${port}/__runner/task/look`, {
        method: "POST",
        headers: { "x-runner-token": token, "content-type": "application/json" },
        body: JSON.stringify({ input: "a body" }),
      });

      expect(await reply.json()).toEqual({ ok: true, result: ["a body", "request of /__runner/task/look"] });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("The context of a request is not there outside a served task", () => {
    const error = thrownBy(() => useExposureContext());

    expect([error.name, ...error.message.split("\n")]).toEqual([
      "runner.errors.context",
      "Context not available for symbol platform.node.exposure.request",
      "  fix: read it in a task that an exposure runs; where both happen, ask hasExposureContext() first.",
    ]);
  });
});

function keysIn(value: object): string[] {
  const keys: string[] = [];
  for (const key in value) keys.push(key);
  return keys;
}
