import { createHash } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { startRelay, startService, visit } from "../../../__tests__/support/bareRelay";
import { rejectionOf } from "../../../__tests__/support/failures";
import { soon } from "../../../__tests__/support/soon";
import type { FetchHandler } from "./fetchListener";
import { tunnelExpose, tunnelServe, type TunnelServeOptions } from "./tunnelExpose";

async function serve(fetch: FetchHandler, options: Partial<TunnelServeOptions> = {}) {
  const relay = await startRelay();
  const handle = await tunnelServe({ relay: relay.url, token: "anna", fetch, ...options });
  return {
    port: handle.containerPort,
    url: `http://127.0.0.1:${handle.containerPort}`,
    async [Symbol.asyncDispose]() {
      await handle.close();
      await relay[Symbol.asyncDispose]();
    },
  };
}

const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("a fetch-style handler behind a driver", () => {
  it("a fetch-style handler behind a driver reads and answers bodies as streams, byte for byte", async () => {
    await using served = await serve(async (req) => new Response(req.body, { status: 201, statusText: "Made" }));
    const sent = Buffer.alloc(3_000_000, "fetch");

    const response = await soon(fetch(served.url, { method: "POST", body: sent }));

    expect([response.status, response.statusText]).toEqual([201, "Made"]);
    expect(sha(new Uint8Array(await soon(response.arrayBuffer())))).toBe(sha(sent));
  });

  it("a fetch-style handler behind a driver sees method, URL and headers of the visitor, and sets several cookies", async () => {
    await using served = await serve((req) => {
      const headers = new Headers([
        ["x-seen", `${req.method} ${new URL(req.url).pathname}${new URL(req.url).search} ${req.headers.get("x-mine")}`],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ]);
      return new Response(null, { status: 204, headers });
    });

    const { headers } = await soon(
      fetch(`${served.url}/a%2Fb?c=d`, { method: "DELETE", headers: { "x-mine": "yes" } }),
    );

    expect(headers.get("x-seen")).toBe("DELETE /a%2Fb?c=d yes");
    expect(headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it("a fetch-style handler behind a driver learns that its visitor left, and its silent body is cancelled", async () => {
    let onCancel: () => void = () => {};
    const cancelled = new Promise<void>((resolve) => (onCancel = resolve));
    const signals: AbortSignal[] = [];
    await using served = await serve(({ signal }) => {
      signals.push(signal);
      return new Response(new ReadableStream({ cancel: onCancel }));
    });
    const req = request({ host: "127.0.0.1", port: served.port, agent: false });
    req.on("error", () => {}).end();
    await soon(once(req, "response"));

    req.destroy();
    await soon(cancelled);

    expect(signals[0]?.aborted).toBe(true);
  });

  it("a fetch-style handler behind a driver that throws is answered 500 and reported, without what it threw", async () => {
    const failures: unknown[] = [];
    await using served = await serve(
      () => {
        throw new Error("the database password is wrong");
      },
      { onError: (error) => failures.push(error) },
    );

    const { message, text } = await soon(visit(served.port));

    expect([message.statusCode, text]).toEqual([500, ""]);
    expect(failures).toMatchObject([{ message: "the database password is wrong" }]);
  });

  it("a fetch-style handler behind a driver whose body fails has its response cut, so that it cannot look whole", async () => {
    const failures: unknown[] = [];
    const body = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(Buffer.from("half")),
        pull: (controller) => controller.error(new Error("lost")),
      });
    await using served = await serve(() => new Response(body()), { onError: (error) => failures.push(error) });

    expect(await rejectionOf(soon(visit(served.port)))).toMatchObject({ code: "ECONNRESET" });
    expect(failures).toMatchObject([{ message: "lost" }]);
  });

  it("a fetch-style handler behind a driver sends no body in answer to HEAD, and is not asked for TRACE", async () => {
    await using served = await serve(() => new Response("body", { headers: { "content-length": "4" } }));
    const head = await soon(fetch(served.url, { method: "HEAD" }));
    const trace = request({ host: "127.0.0.1", port: served.port, method: "TRACE", agent: false }).end();
    const [refused] = (await soon(once(trace, "response"))) as [{ statusCode: number; resume(): void }];
    refused.resume();

    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "4", ""]);
    expect(refused.statusCode).toBe(400);
  });

  it.each([
    ["nothing", {}],
    ["two things", { server: () => {}, fetch: () => new Response() }],
  ])("a server of this process that is %s cannot be published", async (_what, options) => {
    expect(await rejectionOf(tunnelServe({ relay: "http://127.0.0.1:1", ...options }))).toBeInstanceOf(TypeError);
  });
});

it.each([
  ["visitor", "web.tun.localhost"],
  ["local", undefined],
] as const)("an application finds the host of hostHeader %s", async (hostHeader, host) => {
  await using service = await startService((req, res) => void res.end(req.headers.host));
  await using relay = await startRelay({ publicUrlPattern: "http://{name}.tun.localhost" });
  const { port } = service;
  await using handle = await tunnelExpose({ relay: relay.url, token: "anna", port, name: "web", hostHeader });

  const { text } = await soon(visit(relay.relay.port, "/", { host: new URL(handle.publicUrl ?? "").host }));

  expect(text).toBe(host ?? `127.0.0.1:${port}`);
});
