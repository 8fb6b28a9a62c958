import { createServer, request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { globals, r } from "../../../node";
import { rejectionOf } from "../../support/failures";
import { ask, publish } from "../../support/publishedService";
import { mirror, received } from "../../support/relay/mirror";
import { soon } from "../../support/soon";

const { tunnelHook } = globals.tags;

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
