import { createServer } from "node:http";
import {
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  nodeExposure,
  r,
  run,
} from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { formHeaders, startExposure, token } from "../../support/exposure";
import { rejectionOf, thrownBy } from "../../support/failures";
import { listenOn } from "../../support/listenOn";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();
const hello = task("hello", () => "hi");
const ok = { ok: true, result: "hi" };
const headers = { "x-runner-token": token };

describe("a base path", () => {
  it.each([
    ["/", "/task/hello"],
    ["", "/task/hello"],
    ["rpc/", "/rpc/task/hello"],
    ["a/b//", "/a/b/task/hello"],
  ])("a base path of %j serves %s", async (basePath, path) => {
    await using exposure = await startExposure([hello], { basePath });

    expect(await (await exposure.post(path)).json()).toEqual(ok);
  });

  it.each(["/ü/rpc", "/%C3%BC/rpc", "/%c3%bc/rpc/", "/a:b(1)/rpc", "/日本"])(
    "a base path of %j is reached by every client",
    async (basePath) => {
      await using exposure = await startExposure([hello], { basePath });
      const { origin } = new URL(exposure.handlers.url);
      const auth = { token };

      for (const baseUrl of [exposure.handlers.url, origin + basePath]) {
        for (const create of [createHttpClient, createHttpMixedClient, createHttpSmartClient]) {
          await using client = create({ baseUrl, auth });
          expect(await client.task("hello")).toBe("hi");
        }
      }
    },
  );

  it.each([
    ["/a?b", "query and fragment"],
    ["/a#b", "query and fragment"],
    ["/a b", "spaces"],
    ["/a\\b", "backslashes"],
    ["/a\u0000b", "control characters"],
    ["/a//b", "doubled slashes"],
    ["http://host/rpc", "doubled slashes"],
    ["/a/../b", '".."'],
    ["/a/./b", '"."'],
    ["/a/%2e%2E/b", '".."'],
    ["..", '".."'],
    ["/%E0%A4%A", "percent-encoding that cannot be decoded"],
    ["/\ud800", "percent-encoding that cannot be decoded"],
  ])("a base path of %j is refused where it is written, with the reason", (basePath, reason) => {
    const error = thrownBy(() => nodeExposure.with({ http: { basePath } }));

    expect(error.message).toContain("http.basePath must be ");
    expect(error.message).toContain(reason);
  });
});

describe("a server", () => {
  it("a server of an exposure that cannot listen rejects the boot, saying which resource failed", async () => {
    await using taken = await listenOn(createServer());
    const port = Number(new URL(taken.origin).port);
    const root = r
      .resource("app")
      .register([nodeExposure.with({ http: { listen: { port } } })])
      .build();

    const error = (await rejectionOf(
      run(root, { shutdownHooks: false, errorBoundary: false }),
    )) as NodeJS.ErrnoException;

    expect(error.code).toBe("EADDRINUSE");
    expect(error.message).toMatch(/^Resource "platform\.node\.resources\.exposure" initialization failed: /);
  });

  it("a server of an exposure of one's own is attached to, and keeps its other requests and its life", async () => {
    const server = createServer((req, res) => {
      if (!req.url?.startsWith("/__runner")) res.end("mine");
    });
    await using peer = await listenOn(server);
    const exposure = await startExposure([hello], { server });

    const exposed = await fetch(`${peer.origin}/__runner/task/hello`, { method: "POST", headers, body: "{}" });
    const lookalike = await fetch(`${peer.origin}/__runner/nothing`, { method: "POST", headers });
    const own = await fetch(`${peer.origin}/other`);
    await exposure.app.dispose();

    expect([await exposed.json(), lookalike.status, await own.text()]).toEqual([ok, 404, "mine"]);
    expect([server.listening, server.listenerCount("request")]).toEqual([true, 1]);
  });

  it("a server of an exposure can be made, attached to and detached from by hand", async () => {
    await using exposure = await startExposure([hello], { listen: undefined });
    const { handlers } = exposure;
    await using made = await listenOn(handlers.createServer());
    const bare = createServer();
    const detach = handlers.attachTo(bare);

    const served = await fetch(`${made.origin}/__runner/task/hello`, { method: "POST", headers, body: "{}" });
    const outside = await fetch(`${made.origin}/other`);
    detach();
    detach();

    expect([handlers.server, await served.json(), outside.status]).toEqual([null, ok, 404]);
    expect(bare.listenerCount("request")).toBe(0);
  });

  it("a server of an exposure of a framework passes on what is not below the base path", async () => {
    await using exposure = await startExposure([hello], { listen: undefined });
    const server = createServer((req, res) => {
      void exposure.handlers.handleRequest(req, res).then((wasServed) => wasServed || res.end("next"));
    });
    await using peer = await listenOn(server);

    const served = await fetch(`${peer.origin}/__runner/task/hello`, { method: "POST", headers, body: "{}" });
    const passed = await fetch(`${peer.origin}/other`);

    expect([await served.json(), await passed.text()]).toEqual([ok, "next"]);
  });

  it.each(["handleTask", "handleEvent", "handleDiscovery", "handleRequest"] as const)(
    "a server of an exposure whose %s gets a response that was made by hand is refused, with what is missing in the log",
    async (name) => {
      await using exposure = await startExposure([hello], { listen: undefined });
      const sent: unknown[] = [];
      const res = {
        statusCode: 200,
        setHeader: () => {},
        end: (text: string) => sent.push(res.statusCode, JSON.parse(text)),
      };
      const req = { method: "POST", url: "/__runner/task/hello", headers };

      await exposure.handlers[name](req as never, res as never);

      expect(sent).toEqual([500, { ok: false, error: { message: "Internal Error", code: "INTERNAL_ERROR" } }]);
      const [log] = exposure.logs.filter(({ message }) => message === "exposure.http.unhandled");
      expect(log?.error?.message).toContain("missing: req.on, req.off, req.pipe");
      expect(log?.error?.message).toContain(
        "res.on, res.once, res.off, res.emit, res.write, res.writeHead, res.getHeader",
      );
    },
  );

  it("a server of an exposure may offer the three kinds apart", async () => {
    await using exposure = await startExposure([hello], { listen: undefined });
    const { handlers } = exposure;
    await using tasks = await listenOn(createServer((req, res) => void handlers.handleTask(req, res)));
    await using events = await listenOn(createServer((req, res) => void handlers.handleEvent(req, res)));
    await using discovery = await listenOn(createServer((req, res) => void handlers.handleDiscovery(req, res)));

    const statuses = await Promise.all(
      [tasks, events, discovery].map(async ({ origin }) => {
        const reply = await fetch(`${origin}/__runner/task/hello`, { method: "POST", headers, body: "{}" });
        return reply.status;
      }),
    );

    expect(statuses).toEqual([200, 404, 404]);
  });

  it.each<[string, unknown, string, unknown]>([
    ["a parsed body", { input: { a: 1 } }, "", { a: 1 }],
    ["the text of a body", '{"input":2}', "", 2],
    ["the bytes of a body", Buffer.from('{"input":3}'), "", 3],
  ])("a server of an exposure with a body parser in front leaves %s", async (_what, body, _none, result) => {
    await using exposure = await startExposure([task("echo", (input) => input)], { listen: undefined });
    const server = createServer((req, res) => {
      req.resume().once("end", () => void exposure.handlers.handleRequest(Object.assign(req, { body }), res));
    });
    await using peer = await listenOn(server);

    const reply = await fetch(`${peer.origin}/__runner/task/echo`, { method: "POST", headers, body: "{}" });

    expect(await reply.json()).toEqual({ ok: true, result });
  });

  it.each([
    ["text", "{}", {}],
    ["form", "x", formHeaders],
    ["stream", "x", { "content-type": "application/octet-stream" }],
  ])(
    "a server of an exposure whose body parser left nothing of a %s is told so in the log",
    async (_kind, body, more) => {
      await using exposure = await startExposure([hello], { listen: undefined });
      const server = createServer((req, res) => {
        req.resume().once("end", () => void exposure.handlers.handleRequest(req, res));
      });
      await using peer = await listenOn(server);

      const reply = await fetch(`${peer.origin}/__runner/task/hello`, {
        method: "POST",
        headers: { ...headers, ...more },
        body,
      });

      expect(reply.status).toBe(500);
      const [log] = exposure.logs.filter(({ message }) => message === "exposure.task.error");
      expect(log?.error?.message).toMatch(/body parsers/);
    },
  );
});

describe("the value of an exposure", () => {
  it("the value of an exposure says where it listens, as clients take it", async () => {
    await using exposure = await startExposure([hello], { basePath: "/rpc" });
    const { url, port } = exposure.app.getResourceValue(nodeExposure);

    const reply = await fetch(`${url}/task/hello`, { method: "POST", headers, body: "{}" });

    expect([url, await reply.json()]).toEqual([`http://127.0.0.1:${port}/rpc`, ok]);
  });

  it("the value of an exposure says where a server listens that it is attached to, once that does", async () => {
    const server = createServer();
    await using exposure = await startExposure([hello], { server });
    const { handlers } = exposure;
    const before = [handlers.url, handlers.port];
    await using peer = await listenOn(server);

    expect(before).toEqual(["/__runner", 0]);
    expect([handlers.url, handlers.port]).toEqual([`${peer.origin}/__runner`, Number(new URL(peer.origin).port)]);
  });

  it("the value of an exposure has the base path alone without a server", async () => {
    await using exposure = await startExposure([hello], { listen: undefined });

    expect([exposure.handlers.url, exposure.handlers.port]).toEqual(["/__runner", 0]);
  });
});

describe("closing", () => {
  it("closing an exposure waits for what is being served, refuses what is new, and is done once", async () => {
    const started = createDeferred();
    const release = createDeferred();
    const slow = task("slow", async () => {
      started.resolve();
      await release.promise;
      return "done";
    });
    await using exposure = await startExposure([slow]);
    const running = exposure.post("/__runner/task/slow");
    await started.promise;

    const closing = exposure.handlers.close();
    const again = exposure.handlers.close();
    const refused = await rejectionOf(exposure.post("/__runner/task/slow"));
    release.resolve();
    const reply = await running;
    await closing;

    expect(again).toBe(closing);
    expect(refused.message).toBe("fetch failed");
    expect([await reply.json(), reply.headers.get("connection")]).toEqual([{ ok: true, result: "done" }, "close"]);
  });

  it("closing an exposure cuts what takes longer than it was given", async () => {
    const started = createDeferred();
    const stuck = task("stuck", async () => {
      started.resolve();
      await new Promise(() => {});
    });
    await using exposure = await startExposure([stuck], { limits: { closeMs: 20 } });
    const running = rejectionOf(exposure.post("/__runner/task/stuck"));
    await started.promise;

    await exposure.handlers.close();

    expect((await running).message).toBe("fetch failed");
  });
});
