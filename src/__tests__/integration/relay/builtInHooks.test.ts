import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
import { globals, r, run, tunnelRelay, type RegisterableItems, type TunnelRelayConfig } from "../../../node";
import { rejectionOf, thrownBy } from "../../support/failures";
import { ask, publish } from "../../support/publishedService";
import { mirror, received } from "../../support/relay/mirror";
import { soon } from "../../support/soon";
import { quiet } from "../../support/tunnelPair";

const { tunnelHook } = globals.tags;
const { stripHeaders, redact, rateLimit, replaceBody, injectFaults } = globals.tunnelHooks;

describe("the hooks of the framework", () => {
  const through = (hooks: TunnelRelayConfig["hooks"], config: Partial<TunnelRelayConfig> = {}) =>
    publish(mirror(), { config: { hooks, ...config } });

  it("stripHeaders takes headers away from requests and responses", async () => {
    await using site = await through([stripHeaders.with({ request: ["Authorization"], response: ["X-App"] })]);

    const { body, headers } = await ask(site.port, { headers: { authorization: "Bearer a", "x-kept": "1" } });
    const sent = received(body).headers;
    expect([sent.authorization, sent["x-kept"], headers["x-app"], headers["content-length"]]).toEqual([
      undefined,
      "1",
      undefined,
      String(Buffer.byteLength(body)),
    ]);
  });

  it("rateLimit answers 429 before gates are asked, and counts visitors apart", async () => {
    await using site = await through([rateLimit.with({ limit: 2, windowMs: 600_000, path: "/api/*" })], {
      gates: [[globals.tunnelGates.token.with({ tokens: "t" })]],
      trustedProxies: ["127.0.0.1"],
    });
    const from = async (peer: string, path = "/api/x") => {
      const { status, headers } = await ask(site.port, { path, headers: { "x-forwarded-for": peer } });
      return [status, headers["x-hoody-tunnel-error"], Number(headers["retry-after"] ?? 0) > 0];
    };

    expect(await from("10.0.0.1")).toEqual([401, "GATE_AUTH", false]);
    expect(await from("10.0.0.1")).toEqual([401, "GATE_AUTH", false]);
    expect(await from("10.0.0.1")).toEqual([429, "RATE_LIMITED", true]);
    expect(await from("10.0.0.2")).toEqual([401, "GATE_AUTH", false]);
    expect(await from("10.0.0.1", "/")).toEqual([401, "GATE_AUTH", false]);
    expect((await from("2001:db8::1"))[0]).toBe(401);
    expect((await from("2001:db8::a:2"))[0]).toBe(401);
    // A host that has one address of such a network has all of them.
    expect((await from("2001:db8:0:0:ffff::3"))[0]).toBe(429);
    expect((await from("2001:db8:0:1::3"))[0]).toBe(401);
  });

  it("redact hides texts that cross pieces and codings, and asks for neither parts nor other codings", async () => {
    const asked: unknown[] = [];
    const server = createServer((req, res) => {
      asked.push([req.headers["accept-encoding"], req.headers.range]);
      if (req.url === "/gzip") {
        res.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
        return void res.end(gzipSync('{"card":"4111111111111111"}'));
      }
      if (req.url === "/odd") {
        res.writeHead(200, { "content-type": "text/plain", "content-encoding": "zstd" });
        return void res.end("secret");
      }
      res.writeHead(200, { "content-type": req.url === "/binary" ? "image/png" : "text/plain; charset=utf-8" });
      res.write("a sec");
      setImmediate(() => {
        res.write("ret and 41111");
        setImmediate(() => res.end("11111111111 é secret"));
      });
    });
    await using site = await publish(server, {
      config: { hooks: [redact.with({ patterns: ["secret", /\b\d{16}\b/], maxMatchChars: 20 })] },
    });

    const plain = await ask(site.port, { headers: { "accept-encoding": "br", range: "bytes=0-3" } });
    expect(plain.body).toBe("a [redacted] and [redacted] é [redacted]");
    const zipped = await ask(site.port, { path: "/gzip" });
    expect([zipped.headers["content-encoding"], zipped.body]).toEqual([undefined, '{"card":"[redacted]"}']);
    expect((await ask(site.port, { path: "/binary" })).body).toContain("secret");
    const odd = await ask(site.port, { path: "/odd" });
    expect([odd.status, odd.body.includes("secret")]).toEqual([500, false]);
    expect(asked[0]).toEqual(["identity", undefined]);
  });

  it("redact lets events of a stream through at once", async () => {
    let send: (event: string) => void = () => {};
    const server = createServer((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.flushHeaders();
      send = (event) => void res.write(event);
    });
    await using site = await publish(server, { config: { hooks: [redact.with({ patterns: ["secret"] })] } });
    const response = await fetch(`http://localhost:${site.port}/`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const next = async () => Buffer.from((await soon(reader.read())).value ?? []).toString();

    send("data: secret 1\n\n");
    expect(await next()).toBe("data: [redacted] 1\n\n");
    send("data: 2\n\n");
    expect(await next()).toBe("data: 2\n\n");
    await reader.cancel();
  });

  it("replaceBody sends other bodies, and injectFaults delays, refuses and cuts", async () => {
    await using site = await through([
      replaceBody.with({ of: "request", method: "PUT", body: "other" }),
      replaceBody.with({ path: "/page", body: "<p>maintenance", contentType: "text/html" }),
      injectFaults.with({ path: "/broken", status: 503 }),
      injectFaults.with({ path: "/cut", abort: true }),
      injectFaults.with({ path: "/slow", delayMs: 10 }),
      injectFaults.with({ path: "/never", status: 503, rate: 0 }),
    ]);

    expect(received((await ask(site.port, { method: "PUT", body: "mine" })).body).body).toBe("other");
    const page = await ask(site.port, { path: "/page" });
    expect([page.body, page.headers["content-type"]]).toEqual(["<p>maintenance", "text/html"]);
    expect((await ask(site.port, { path: "/broken" })).status).toBe(503);
    expect(await rejectionOf(ask(site.port, { path: "/cut" }))).toMatchObject({ code: "ECONNRESET" });
    expect((await ask(site.port, { path: "/slow" })).status).toBe(200);
    expect((await ask(site.port, { path: "/never" })).status).toBe(200);
  });

  it("an application that goes on sending what was replaced is cut off, and its visitor has the whole answer", async () => {
    let close: () => void = () => {};
    const closed = new Promise<void>((resolve) => (close = resolve));
    const server = createServer((_req, res) => {
      res.writeHead(200, { "content-type": "text/plain" });
      const endless = setInterval(() => res.write(Buffer.alloc(65_536)), 1);
      res.on("close", () => (clearInterval(endless), close()));
    });
    await using site = await publish(server, { config: { hooks: [replaceBody.with({ body: "short" })] } });

    expect((await ask(site.port)).body).toBe("short");
    await soon(closed);
  });
});

describe("hooks that cannot be meant", () => {
  const failureOf = async (config: Partial<TunnelRelayConfig>, items: readonly RegisterableItems[] = []) =>
    (
      await rejectionOf(
        run(
          r
            .resource("app")
            .register([...items, tunnelRelay.with({ listen: { port: 0 }, ...config })])
            .build(),
          quiet,
        ),
      )
    ).message.split("\n")[0];

  it("a relay refuses at boot hooks that cannot be meant, and names the option or the task", async () => {
    const task = (config: object) =>
      r
        .task("hooks.odd")
        .tags([tunnelHook.with(config)])
        .run(async () => undefined)
        .build();

    expect(await failureOf({ hooks: [task({}) as never] })).toContain("hooks[0] is no hook of globals.tunnelHooks");
    expect(await failureOf({ hooks: [stripHeaders.with({})] })).toContain("needs names of headers");
    expect(await failureOf({ hooks: [stripHeaders.with({ request: ["Connection"] })] })).toContain(
      'hooks[0] (globals.tunnelHooks.stripHeaders): The header "Connection" is set by the relay',
    );
    expect(await failureOf({ hooks: [rateLimit.with({ limit: 0 })] })).toContain("limit must be a whole number");
    expect(await failureOf({ hooks: [redact.with({ patterns: [] })] })).toContain("patterns must be a list");
    expect(await failureOf({ hooks: [injectFaults.with({})] })).toContain("needs a fault");
    expect(await failureOf({ hooks: [injectFaults.with({ delayMs: 5_000 })] })).toContain("below hookTimeoutMs (5000)");
    expect(thrownBy(() => tunnelRelay.with({ listen: { port: 0 }, hookTimeoutMs: 0 })).message).toContain(
      "hookTimeoutMs must be a whole number",
    );
    expect(await failureOf({}, [task({ path: "api" })])).toContain(
      'The tag globals.tags.tunnelHook of the task "hooks.odd": path has "api", which must begin with "/"',
    );
    expect(await failureOf({}, [task({ on: "both" })])).toContain('on must be "request" or "response"');
    expect(await failureOf({}, [task({ name: "A_b" })])).toContain('name has "A_b", which no binding can have');
  });
});
