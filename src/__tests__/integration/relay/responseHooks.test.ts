import { createServer, request } from "node:http";
import { text } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { WebSocket, WebSocketServer } from "ws";
import { globals, r } from "../../../node";
import { ask, publish } from "../../support/publishedService";
import { mirror, received } from "../../support/relay/mirror";
import { soon } from "../../support/soon";

const { tunnelHook } = globals.tags;
const { stripHeaders } = globals.tunnelHooks;

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

async function* once(body: string): AsyncGenerator<string> {
  yield body;
}
