import { createServer, request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { createGzip, gzipSync } from "node:zlib";
import { WebSocket, WebSocketServer } from "ws";
import { globals, r, run, tunnelRelay, type RegisterableItems, type TunnelRelayConfig } from "../../../node";
import { rejectionOf, thrownBy } from "../../support/failures";
import { ask, publish } from "../../support/publishedService";
import { soon } from "../../support/soon";
import { quiet } from "../../support/tunnelPair";

const { tunnelHook } = globals.tags;
const { stripHeaders, redact, rateLimit, replaceBody, injectFaults } = globals.tunnelHooks;

/** Answers with what it received, as JSON. */
const mirror = () =>
  createServer((req, res) => {
    void text(req).then((body) => {
      const { method, url, headers } = req;
      res.setHeader("content-type", "application/json").setHeader("etag", '"1"').setHeader("x-app", "mirror");
      res.end(JSON.stringify({ method, url, headers, body }));
    });
  });

/** What the application received. */
const received = (body: string) => JSON.parse(body) as { url: string; headers: Record<string, string>; body: string };

describe("request hooks", () => {
  it("a hook answers, redirects, blocks or cuts before anything reaches the application", async () => {
    let reached = 0;
    const hook = r
      .task("hooks.decide")
      .tags([tunnelHook])
      .run(async (ctx) => {
        switch (ctx.head.target) {
          case "/answer":
            return ctx.respond(201, { "x-a": ["1", "2"], "content-type": "text/plain" }, "answered");
          case "/bytes":
            return ctx.respond(200, {}, Buffer.from([1, 2]));
          case "/redirect":
            return ctx.redirect("https://elsewhere.example/", 307);
          case "/block":
            return ctx.block(418);
          case "/cut":
            return ctx.abort();
          default:
            return ctx.next();
        }
      })
      .build();
    await using site = await publish((_req, res) => void (reached++, res.end("app")), { items: [hook] });

    const answer = await ask(site.port, { path: "/answer", method: "POST", body: "x".repeat(100_000) });
    expect([answer.status, answer.headers["x-a"], answer.body]).toEqual([201, "1, 2", "answered"]);
    expect((await ask(site.port, { path: "/answer", method: "HEAD" })).body).toBe("");
    expect((await ask(site.port, { path: "/bytes" })).body).toBe("\u0001\u0002");
    const redirect = await ask(site.port, { path: "/redirect" });
    expect([redirect.status, redirect.headers.location]).toEqual([307, "https://elsewhere.example/"]);
    const block = await ask(site.port, { path: "/block" });
    expect([block.status, block.headers["x-hoody-tunnel-error"]]).toEqual([418, "BLOCKED"]);
    expect(await rejectionOf(ask(site.port, { path: "/cut" }))).toMatchObject({ code: "ECONNRESET" });
    expect(reached).toBe(0);
    expect((await ask(site.port, { path: "/on" })).body).toBe("app");
  });

  it("hooks with dependencies and middleware change head and body, in their order, and share a state", async () => {
    const order: string[] = [];
    const timed = r.middleware
      .task("timed")
      .run(async ({ next, task }) => {
        order.push("timed");
        return next(task.input);
      })
      .build();
    const users = r
      .resource("users")
      .init(async () => new Map([["k", "anna"]]))
      .build();
    const first = r
      .task("hooks.first")
      .tags([tunnelHook.with({ order: -1 })])
      .dependencies({ users })
      .middleware([timed])
      .run(async (ctx, { users }) => {
        order.push("first");
        ctx.state.set("user", users.get(String(ctx.headers["x-key"])));
        ctx.head.headers.delete("x-key");
        ctx.transformBody(async function* (body) {
          for await (const chunk of body as AsyncIterable<Buffer>) yield chunk.toString().toUpperCase();
        });
      })
      .build();
    const second = r
      .task("hooks.second")
      .tags([tunnelHook])
      .run(async (ctx) => {
        order.push("second");
        ctx.head.target = `/as/${String(ctx.state.get("user"))}${ctx.head.target}`;
        ctx.head.headers.set("X-User", String(ctx.state.get("user")));
        const start = await ctx.peekBody(4);
        ctx.head.headers.append("X-Start", start.toString());
        ctx.transformBody(async function* (body) {
          yield "<";
          yield* body as AsyncIterable<Buffer>;
          yield ">";
        });
      })
      .build();
    // Registered the other way round: their order decides.
    await using site = await publish(mirror(), { items: [second, first, users, timed] });

    const { body, status } = await ask(site.port, {
      method: "POST",
      path: "/p?q=1",
      headers: { "x-key": "k" },
      body: "hello there",
    });

    expect(status).toBe(200);
    const { url, headers, body: sent } = received(body);
    expect([url, headers["x-key"], headers["x-user"], headers["x-start"]]).toEqual([
      "/as/anna/p?q=1",
      undefined,
      "anna",
      "hell",
    ]);
    expect(headers["content-length"]).toBeUndefined();
    expect(sent).toBe("<HELLO THERE>");
    expect(order).toEqual(["timed", "first", "second"]);
  });

  it("a hook that looks at a body leaves it whole, whatever its size, also where the visitor waits to be told to send it", async () => {
    const peeked: number[] = [];
    const hook = r
      .task("hooks.peek")
      .tags([tunnelHook])
      .run(async (ctx) => {
        peeked.push((await ctx.peekBody(10)).length, (await ctx.peekBody(70_000)).length);
      })
      .build();
    await using site = await publish(
      createServer((req, res) => {
        let bytes = 0;
        req.on("data", (chunk: Buffer) => (bytes += chunk.length));
        req.on("end", () => res.end(`${bytes} ${req.headers["content-length"]}`));
      }),
      { items: [hook] },
    );

    const sized = await ask(site.port, { method: "PUT", body: Buffer.alloc(3_000_000, 1) });
    const small = await ask(site.port, { method: "PUT", body: "tiny" });
    const waiting = await soon(
      new Promise<string>((resolve, reject) => {
        const sent = request({
          port: site.port,
          method: "PUT",
          headers: { expect: "100-continue", "content-length": 5 },
        });
        sent.on("continue", () => sent.end("12345")); // fails where it is told twice
        sent.on("response", (response) => void text(response).then(resolve));
        sent.on("error", reject);
        sent.flushHeaders();
      }),
    );

    expect([sized.body, small.body, waiting]).toEqual(["3000000 3000000", "4 4", "5 5"]);
    expect(peeked).toEqual([10, 70_000, 4, 4, 5, 5]);
  });

  it("a hook takes part where name, host, path and method match, however the path is spelled", async () => {
    const seen: string[] = [];
    const hook = (id: string, config: Parameters<typeof tunnelHook.with>[0]) =>
      r
        .task(id)
        .tags([tunnelHook.with(config as { name: string })])
        .run(async () => void seen.push(id))
        .build();
    await using site = await publish(mirror(), {
      name: "shop",
      items: [
        hook("byName", { name: "shop" }),
        hook("byOtherName", { name: ["stage"] }),
        hook("byHost", { host: "*.shop.localhost" }),
        hook("byPath", { path: ["/admin/*", "/exact"] }),
        hook("byMethod", { method: "post" }),
      ],
      config: { aliases: { "a.shop.localhost": { name: "shop" } } },
    });
    const taking = async (options: Parameters<typeof ask>[1], port = site.port) => {
      seen.length = 0;
      expect((await ask(port, options)).status).toBe(200);
      return seen.filter((id) => id !== "byName");
    };

    expect(await taking({})).toEqual([]);
    expect(seen).toEqual(["byName"]);
    expect(await taking({ headers: { host: "a.shop.localhost" } }, site.relay.port)).toEqual(["byHost"]);
    expect(await taking({ method: "POST" })).toEqual(["byMethod"]);
    for (const path of ["/admin/x", "/%61dmin/x?y", "//admin/x", "/a/../admin/x", "/exact"]) {
      expect(await taking({ path })).toEqual(["byPath"]);
    }
    for (const path of ["/administration", "/exactly", "/?/admin/x"]) expect(await taking({ path })).toEqual([]);
  });

  it.each([
    ["an invalid sequence", "/%61dmin/%zz"],
    ["bytes that are no UTF-8", "/%61dmin/%ff"],
    ["other letters", "/Admin/x"],
    ["dots that lead out of it", "/admin/x/../.."],
    ["encoded dots that lead out of it", "/admin/..%2f"],
    ["parameters of its parts", "/admin;v=1/x"],
    ["doubled slashes inside", "/a/..//admin/x"],
    ["an encoded letter that is a capital one", "/%41dmin/x"],
    ["a slash at the end of an exact one", "/exact/"],
    ["a part that is as good as nothing", "/exact/."],
  ])("a hook of a path takes part where the path is spelled with %s", async (_how, path) => {
    const hook = r
      .task("hooks.guard")
      .tags([tunnelHook.with({ path: ["/admin/*", "/exact"] })])
      .run(async (ctx) => ctx.block())
      .build();
    await using site = await publish(mirror(), { items: [hook] });

    expect((await ask(site.port, { path })).status).toBe(403);
    expect((await ask(site.port, { path: "/other" })).status).toBe(200);
  });

  it("a hook that throws, takes too long or gives what cannot be sent answers 500, and tells visitors nothing", async () => {
    let reached = 0;
    const failures: Record<
      string,
      (ctx: { head: { target: string; headers: { set(n: string, v: string): void } } }) => unknown
    > = {
      "/throw": () => {
        throw new Error("secret detail");
      },
      "/long": () => new Promise(() => {}),
      "/odd": () => "block",
      "/split": ({ head }) => head.headers.set("x", "a\r\nb: c"),
      "/framing": ({ head }) => head.headers.set("content-length", "1"),
      "/target": ({ head }) => void (head.target = "http://elsewhere.example/"),
      "/answer": () => ({ action: "respond", status: 200, headers: { x: "a\nb" } }),
      "/status": () => ({ action: "respond", status: 101 }),
    };
    const hook = r
      .task("hooks.fail")
      .tags([tunnelHook])
      .run(async (ctx) => (await failures[ctx.target]?.(ctx)) as undefined)
      .build();
    await using site = await publish((_req, res) => void (reached++, res.end("app")), {
      items: [hook],
      config: { hookTimeoutMs: 100 },
    });

    for (const path of Object.keys(failures)) {
      const { status, headers, body } = await ask(site.port, { path });
      expect([path, status, headers["x-hoody-tunnel-error"]]).toEqual([path, 500, "HOOK_FAILED"]);
      expect(body).not.toMatch(/secret|hooks\.fail/);
    }
    expect(reached).toBe(0);
    expect((await ask(site.port, { path: "/fine" })).body).toBe("app");
  });

  it("a body whose transform fails on its way is answered 500, and the application sees it break off", async () => {
    const hook = r
      .task("hooks.fail")
      .tags([tunnelHook])
      .run(async (ctx) =>
        ctx.transformBody(async function* (body) {
          for await (const chunk of body as AsyncIterable<Buffer>) {
            if (chunk.includes("!")) throw new Error("no");
            yield chunk;
          }
        }),
      )
      .build();
    const outcomes: unknown[] = [];
    let settle: () => void = () => {};
    let reach: () => void = () => {};
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const settled = new Promise<void>((resolve) => (settle = resolve));
    await using site = await publish(
      createServer((req, res) => {
        reach();
        req.on("error", (error) => (outcomes.push(error.message), settle()));
        req.resume().on("end", () => (outcomes.push("whole"), res.end("whole")));
      }),
      { items: [hook] },
    );

    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({ port: site.port, method: "POST" }, resolve);
      sent.on("error", reject);
      sent.write("a");
      void reached.then(() => sent.write("!"));
    });
    const { statusCode, headers } = await soon(answered);
    (await answered).destroy();
    await soon(settled);

    expect([statusCode, headers["x-hoody-tunnel-error"]]).toEqual([500, "HOOK_FAILED"]);
    expect((await ask(site.port, { method: "POST", body: "a" })).body).toBe("whole");
    expect(outcomes).toEqual(["aborted", "whole"]);
  });
});

describe("response hooks", () => {
  it("response hooks change head and body, and see what request hooks left in the state", async () => {
    const before = r
      .task("hooks.before")
      .tags([tunnelHook])
      .run(async (ctx) => void ctx.state.set("at", ctx.target))
      .build();
    const after = r
      .task("hooks.after")
      .tags([tunnelHook.with({ on: "response" })])
      .run(async (ctx) => {
        ctx.head.status = 203;
        ctx.head.headers.delete("x-app");
        ctx.head.headers.set("X-At", `${String(ctx.state.get("at"))} ${(await ctx.peekBody(1)).toString()}`);
        ctx.transformBody((body) => body.pipe(createGzip()));
        ctx.head.headers.set("Content-Encoding", "gzip");
      })
      .build();
    await using site = await publish(mirror(), { items: [before, after] });

    const response = await fetch(`http://localhost:${site.port}/p`);
    const { headers, status } = response;
    const has = ["x-app", "etag", "content-length"].map((name) => headers.has(name));
    expect([status, headers.get("x-at"), has]).toEqual([203, "/p {", [false, false, false]]);
    expect(received(await response.text()).url).toBe("/p");
    const head = await ask(site.port, { method: "HEAD" });
    expect([head.status, head.body]).toEqual([203, ""]);
  });

  it("a large response passes through hooks whole, and at the pace of the visitor", async () => {
    const hook = r
      .task("hooks.after")
      .tags([tunnelHook.with({ on: "response" })])
      .run(async (ctx) => void ctx.head.headers.set("x-seen", "1"))
      .build();
    const bytes = Buffer.alloc(4_000_000, "response");
    await using site = await publish((_req, res) => void res.end(bytes), { items: [hook] });

    const { body, headers } = await ask(site.port);
    expect([body.length, headers["x-seen"], headers["content-length"]]).toEqual([4_000_000, "1", "4000000"]);
    expect(body === bytes.toString()).toBe(true);
  });

  it("early hints, which hooks do not see, are held back where hooks look at the response", async () => {
    const server = createServer((_req, res) => {
      res.writeEarlyHints({ link: "</a.css>; rel=preload" }, () => res.end("done"));
    });
    await using site = await publish(server, {
      config: { hooks: [stripHeaders.with({ path: "/strip", response: ["link"] })] },
    });
    const hintsOf = (path: string) =>
      soon(
        new Promise<unknown>((resolve, reject) => {
          let hinted: unknown;
          const sent = request({ port: site.port, path }, (response) => {
            response.resume().on("end", () => resolve(hinted));
          });
          sent.on("information", ({ statusCode }) => (hinted = statusCode));
          sent.on("error", reject);
          sent.end();
        }),
      );

    expect([await hintsOf("/"), await hintsOf("/strip")]).toEqual([103, undefined]);
  });

  it("trailers pass hooks that leave the body as it is, and go with a body that is changed", async () => {
    const change = (on: "request" | "response") =>
      r
        .task(`hooks.${on}`)
        .tags([tunnelHook.with({ on } as { on: "response" })])
        .run(async (ctx) => {
          await ctx.peekBody(1);
          if (ctx.target === "/changed") ctx.transformBody((body) => body);
        })
        .build();
    await using site = await publish(
      createServer((req, res) => {
        req.resume().on("end", () => {
          res.writeHead(200, { trailer: "x-sum" });
          res.write("body");
          res.addTrailers({ "x-sum": `of ${req.trailers["x-own"] ?? "nothing"}` });
          res.end();
        });
      }),
      { items: [change("request"), change("response")] },
    );
    const trailersOf = (path: string) =>
      soon(
        new Promise<unknown>((resolve, reject) => {
          const sent = request({ port: site.port, path, method: "POST", headers: { trailer: "x-own" } }, (response) => {
            response.resume().on("end", () => resolve(response.trailers));
          });
          sent.on("error", reject);
          sent.write("some");
          sent.addTrailers({ "x-own": "mine" });
          sent.end();
        }),
      );

    expect(await trailersOf("/same")).toEqual({ "x-sum": "of mine" });
    expect(await trailersOf("/changed")).toEqual({});
  });

  it("a response hook that throws or takes too long answers 500 in the place of the response", async () => {
    const hook = r
      .task("hooks.after")
      .tags([tunnelHook.with({ on: "response" })])
      .run(async (ctx) => {
        if (ctx.target === "/long") await new Promise(() => {});
        if (ctx.target === "/204") ctx.head.status = 204;
        throw new Error("secret detail");
      })
      .build();
    await using site = await publish((_req, res) => void res.end("secret answer"), {
      items: [hook],
      config: { hookTimeoutMs: 100 },
    });

    for (const path of ["/throw", "/long", "/204"]) {
      const { status, headers, body } = await ask(site.port, { path });
      expect([status, headers["x-hoody-tunnel-error"]]).toEqual([500, "HOOK_FAILED"]);
      expect(body).not.toContain("secret");
    }
  });

  it("a visitor that leaves while a hook decides aborts its signal, and nothing is sent to the application", async () => {
    let reached = 0;
    let abort: (reason: unknown) => void = () => {};
    const aborted = new Promise<unknown>((resolve) => (abort = resolve));
    let start: () => void = () => {};
    const started = new Promise<void>((resolve) => (start = resolve));
    const hook = r
      .task("hooks.wait")
      .tags([tunnelHook])
      .run(async ({ signal }) => {
        signal.addEventListener("abort", () => abort(signal.reason));
        start();
        await new Promise(() => {});
      })
      .build();
    await using site = await publish((_req, res) => void (reached++, res.end()), { items: [hook] });

    const sent = request({ port: site.port });
    sent.on("error", () => {});
    sent.end();
    await soon(started);
    sent.destroy();

    expect(await soon(aborted)).toMatchObject({ message: "The visitor left." });
    expect(reached).toBe(0);
  });
});

describe("hooks and WebSockets", () => {
  it("hooks see upgrades, and an application that does not switch gets no response past them", async () => {
    const before = r
      .task("hooks.before")
      .tags([tunnelHook])
      .run(async (ctx) => {
        if (ctx.isUpgrade && ctx.target === "/closed") return ctx.block();
        ctx.head.headers.set("x-hook", "seen");
        return undefined;
      })
      .build();
    const after = r
      .task("hooks.after")
      .tags([tunnelHook.with({ on: "response" })])
      .run(async (ctx) => {
        ctx.head.headers.set("x-after", String(ctx.head.status));
        ctx.transformBody(() => once("replaced"));
      })
      .build();
    const server = createServer((_req, res) => void res.end("secret"));
    const sockets = new WebSocketServer({ noServer: true });
    server.on("upgrade", (req, socket, head) => {
      if (req.url === "/plain") {
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
        return;
      }
      sockets.handleUpgrade(req, socket, head, (opened) => {
        // Sent at once, while the response hooks still look.
        opened.send(String(req.headers["x-hook"]));
        opened.on("message", (data: Buffer) => opened.send(data.toString()));
      });
    });
    await using site = await publish(server, { items: [before, after] });
    const open = (path: string) =>
      soon(
        new Promise<unknown>((resolve, reject) => {
          const messages: string[] = [];
          let after: unknown;
          const socket = new WebSocket(`ws://localhost:${site.port}${path}`);
          socket.on("upgrade", ({ headers }) => (after = headers["x-after"]));
          socket.on("open", () => socket.send("echo"));
          socket.on("message", (data: Buffer) => {
            messages.push(data.toString());
            if (messages.length === 2) resolve((socket.close(), [after, ...messages]));
          });
          socket.on("unexpected-response", (sent, response) => {
            void text(response).then((body) => {
              sent.destroy();
              resolve([response.statusCode, response.headers["x-after"], body]);
            });
          });
          socket.on("error", reject);
        }),
      );

    expect(await open("/open")).toEqual(["101", "seen", "echo"]);
    expect(await open("/plain")).toEqual([200, "200", "replaced"]);
    expect(await open("/closed")).toMatchObject([403, undefined, expect.stringContaining("BLOCKED")]);
    sockets.close();
  });
});

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

async function* once(body: string): AsyncGenerator<string> {
  yield body;
}
