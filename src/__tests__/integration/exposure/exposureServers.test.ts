import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, gzipSync, brotliCompressSync, deflateSync } from "node:zlib";
import { request } from "node:http";
import {
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  nodeExposure,
  r,
  run,
  useExposureContext,
  type NodeExposureConfig,
  type NodeExposureHttpConfig,
} from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import { filePart, formHeaders, formOf, manifestPart, sentinel, startExposure, token } from "../../support/exposure";
import { rejectionOf, thrownBy } from "../../support/failures";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();
const hello = task("hello", () => "hi");
const ok = { ok: true, result: "hi" };
const headers = { "x-runner-token": token };

async function listen(server: Server): Promise<{ readonly origin: string } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

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
    await using taken = await listen(createServer());
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
    await using peer = await listen(server);
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
    await using made = await listen(handlers.createServer());
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
    await using peer = await listen(server);

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
    await using tasks = await listen(createServer((req, res) => void handlers.handleTask(req, res)));
    await using events = await listen(createServer((req, res) => void handlers.handleEvent(req, res)));
    await using discovery = await listen(createServer((req, res) => void handlers.handleDiscovery(req, res)));

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
    await using peer = await listen(server);

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
      await using peer = await listen(server);

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
    await using peer = await listen(server);

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

describe("config", () => {
  it.each<[string, unknown]>([
    ["http", 5],
    ["http.basePath", { basePath: 5 }],
    ["http.basePath", { basePath: "/a?b" }],
    ["http.server", { server: "http" }],
    ["http.listen.port", { listen: { port: "80" } }],
    ["http.listen.port", { listen: { port: 70_000 } }],
    ["http.listen.host", { listen: { port: 0, host: "" } }],
    ["http.auth", { auth: "token" }],
    ["http.auth.header", { auth: { header: "bad header" } }],
    ["http.auth.token", { auth: { token: [5] } }],
    ["http.auth.allowAnonymous", { auth: { allowAnonymous: "yes" } }],
    ["http.cors.origin", { cors: { origin: 5 } }],
    ["http.cors.origin", { cors: { origin: "" } }],
    ["http.cors.origin", { cors: { origin: "https://a.test/" } }],
    ["http.cors.origin", { cors: { origin: "a.test" } }],
    ["http.cors.origin", { cors: { origin: ["https://a.test:443"] } }],
    ["http.cors.origin", { cors: { origin: ["https://A.test"] } }],
    ["http.cors.origin", { cors: { origin: ["*"] } }],
    ["http.cors.origin", { cors: { origin: ["https://a.test\r\nx: y"] } }],
    ["http.cors.methods", { cors: { methods: ["PO ST"] } }],
    ["http.cors.allowedHeaders", { cors: { allowedHeaders: ["x-a\r\nx-b"] } }],
    ["http.cors.exposedHeaders", { cors: { exposedHeaders: [""] } }],
    ["http.cors.maxAge", { cors: { maxAge: Infinity } }],
    ["http.cors.maxAge", { cors: { maxAge: 1.5 } }],
    ["http.cors.varyOrigin", { cors: { varyOrigin: "yes" } }],
    ["http.cors.methods", { cors: { methods: "POST" } }],
    ["http.cors.maxAge", { cors: { maxAge: "600" } }],
    ["http.cors.credentials", { cors: { credentials: 1 } }],
    ["http.limits", { limits: 5 }],
    ["http.limits.json.maxSize", { limits: { json: { maxSize: "2mb" } } }],
    ["http.limits.multipart.files", { limits: { multipart: { files: -1 } } }],
    ["http.limits.inFlight", { limits: { inFlight: NaN } }],
    ["http.dangerouslyAllowOpenExposure", { dangerouslyAllowOpenExposure: "true" }],
    ["http.disableDiscovery", { disableDiscovery: 0 }],
    ["http.compression.requests", { compression: { requests: "gzip" } }],
    ["http.compression.responses.threshold", { compression: { responses: { threshold: "1kb" } } }],
  ])("an exposure's config with a bad %s is refused where it is written, naming the field", (field, http) => {
    const error = thrownBy(() => nodeExposure.with({ http: http as NodeExposureHttpConfig }));

    expect(error.message).toContain(`${field} must be `);
  });

  it.each<[string, string, unknown]>([
    ["config.htp", "config.http", { htp: {} }],
    ["http.basepath", "http.basePath", { http: { basepath: "/rpc" } }],
    ["http.limit", "http.limits", { http: { limit: {} } }],
    ["http.listen.hosts", "http.listen.host", { http: { listen: { port: 0, hosts: "::" } } }],
    ["http.auth.tokns", "http.auth.tokens", { http: { auth: { tokns: ["t"] } } }],
    ["http.cors.origins", "http.cors.origin", { http: { cors: { origins: "*" } } }],
    ["http.limits.inflight", "http.limits.inFlight", { http: { limits: { inflight: 5 } } }],
    [
      "http.limits.multipart.filesize",
      "http.limits.multipart.fileSize",
      { http: { limits: { multipart: { filesize: 5 } } } },
    ],
    ["http.compression.response", "http.compression.responses", { http: { compression: { response: true } } }],
  ])("an exposure's config with %s, which does not exist, is refused, naming %s", (key, nearest, config) => {
    const error = thrownBy(() => nodeExposure.with(config as NodeExposureConfig));

    expect(error.message).toContain(`${key} is not known. Did you mean ${nearest}?`);
  });

  it("an exposure's config with a key that is like none is refused, naming those there are", () => {
    const config = { http: { limits: { json: { largest: 5 } } } } as NodeExposureConfig;

    const error = thrownBy(() => nodeExposure.with(config));

    expect(error.message).toContain("http.limits.json.largest is not known. Known are maxSize.");
  });
});

describe("a CORS policy that is asynchronous", () => {
  const origin = async (requested: string | undefined) => {
    await new Promise(setImmediate);
    return requested === "https://a.test" ? requested : null;
  };
  const ask = async (exposure: { readonly port: number }, method: string, from: string) => {
    const url = `http://127.0.0.1:${exposure.port}/__runner/task/hello`;
    const reply = await fetch(url, { method, headers: { ...headers, origin: from } });
    return [reply.status, reply.headers.get("access-control-allow-origin"), reply.headers.get("vary")];
  };

  it.each([
    ["POST", 200],
    ["OPTIONS", 204],
    ["GET", 405],
  ])("a CORS policy that is asynchronous is awaited for %s", async (method, status) => {
    await using exposure = await startExposure([hello], { cors: { origin } });

    expect(await ask(exposure, method, "https://a.test")).toEqual([status, "https://a.test", "Origin"]);
    expect(await ask(exposure, method, "https://b.test")).toEqual([status, null, "Origin"]);
  });

  it("a CORS policy that is asynchronous decides who is a local caller, too", async () => {
    await using exposure = await startExposure([hello], { auth: {}, cors: { origin } });

    expect((await ask(exposure, "POST", "https://a.test"))[0]).toBe(200);
    expect((await ask(exposure, "POST", "https://b.test"))[0]).toBe(500);
  });

  it.each<[string, () => unknown]>([
    ["rejects", () => Promise.reject(new Error("down"))],
    ["never settles", () => new Promise(() => {})],
    ["gives no origin", async () => true],
  ])("a CORS policy that is asynchronous and %s makes the reply a 500, and runs nothing", async (_what, decide) => {
    let runs = 0;
    const counted = task("hello", () => (runs += 1));
    const cors = { origin: decide as () => Promise<string> };
    await using exposure = await startExposure([counted], { cors, limits: { authMs: 20 } });

    expect((await ask(exposure, "POST", "https://a.test"))[0]).toBe(500);
    expect((await ask(exposure, "OPTIONS", "https://a.test"))[0]).toBe(500);
    expect([runs, exposure.logs.filter(({ message }) => message === "exposure.http.unhandled").length]).toEqual([0, 2]);
  });
});

describe("a CORS policy that throws", () => {
  const origin = (): never => {
    throw new Error("no idea");
  };

  it.each(["POST", "OPTIONS"])(
    "a CORS policy that throws is survived by a request with %s, which keeps its id",
    async (method) => {
      await using exposure = await startExposure([hello], { cors: { origin } });
      const url = `http://127.0.0.1:${exposure.port}/__runner/task/hello`;

      const reply = await fetch(url, { method, headers: { ...headers, "x-runner-request-id": "mine" } });

      expect([reply.status, reply.headers.get("x-runner-request-id")]).toEqual([500, "mine"]);
      const logged = exposure.logs.filter(({ message }) => message === "exposure.http.unhandled");
      expect(logged.map(({ data }) => data)).toEqual([{ error: "no idea", requestId: "mine" }]);
    },
  );
});

describe("compression", () => {
  const long = task("long", () => "x".repeat(5000));
  const countBytes = task("count", async () => {
    let count = 0;
    for await (const chunk of useExposureContext().req) count += (chunk as Buffer).length;
    return count;
  });

  /** `fetch` decodes, so that nobody would see what was sent. */
  const callRaw = (port: number, path: string, more: Record<string, string>) =>
    new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const sent = request({ port, path, method: "POST", headers: { ...headers, ...more } }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on("data", (chunk: Buffer) => chunks.push(chunk));
        reply.on("end", () => resolve({ headers: reply.headers, body: Buffer.concat(chunks) }));
      });
      sent.on("error", reject).end("{}");
    });

  it("compression of an exposure is off unless asked for, on both sides", async () => {
    await using exposure = await startExposure([long, hello]);

    const reply = await callRaw(exposure.port, "/__runner/task/long", { "accept-encoding": "gzip" });
    const refused = await exposure.post("/__runner/task/hello", gzipSync("{}"), { "content-encoding": "gzip" });

    expect(reply.headers["content-encoding"]).toBe(undefined);
    expect(refused.status).toBe(400);
  });

  it("compression of an exposure takes the coding that the caller likes best, and says that replies differ by it", async () => {
    await using exposure = await startExposure([long], { compression: { responses: true } });

    const reply = await callRaw(exposure.port, "/__runner/task/long", {
      "accept-encoding": "br;q=0.5, gzip;q=0.9, *;q=0",
    });

    expect([reply.headers["content-encoding"], reply.headers["vary"]]).toEqual(["gzip", "Accept-Encoding"]);
    expect(JSON.parse(gunzipSync(reply.body).toString())).toEqual({ ok: true, result: "x".repeat(5000) });
    expect(Number(reply.headers["content-length"])).toBe(reply.body.length);
  });

  it("compression of an exposure spares short replies, and callers that name no coding", async () => {
    await using exposure = await startExposure([long, hello], { compression: { responses: true } });

    const short = await callRaw(exposure.port, "/__runner/task/hello", { "accept-encoding": "gzip" });
    const silent = await callRaw(exposure.port, "/__runner/task/long", {});

    expect([short.headers["content-encoding"], silent.headers["content-encoding"]]).toEqual([undefined, undefined]);
  });

  it("compression of an exposure reaches streams, but not what is compressed already", async () => {
    const text = task("text", () => new Blob(["abc"]).stream());
    const image = task("image", () => ({ stream: new Blob(["abc"]).stream(), contentType: "image/png" }));
    await using exposure = await startExposure([text, image], { compression: { responses: true } });

    const compressed = await callRaw(exposure.port, "/__runner/task/text", { "accept-encoding": "gzip" });
    const left = await callRaw(exposure.port, "/__runner/task/image", { "accept-encoding": "gzip" });

    expect(gunzipSync(compressed.body).toString()).toBe("abc");
    expect([left.headers["content-encoding"], left.body.toString()]).toEqual([undefined, "abc"]);
  });

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
  ])("compression of an exposure undoes %s of text, forms and raw bytes", async (coding, compress) => {
    const size = task("size", async (input) => {
      const { path, bytesWritten } = await (
        input as { file: { toTempFile(): Promise<{ path: string; bytesWritten: number }> } }
      ).file.toTempFile();
      await rm(path);
      return [typeof path, bytesWritten];
    });
    await using exposure = await startExposure([task("echo", (input) => input), size, countBytes], {
      compression: { requests: true },
    });
    const coded = { "content-encoding": coding };
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "abc"));

    const text = await exposure.post("/__runner/task/echo", compress('{"input":1}'), coded);
    const file = await exposure.post("/__runner/task/size", compress(form), { ...coded, ...formHeaders });
    const bytes = await exposure.post("/__runner/task/count", compress("12345"), {
      ...coded,
      "content-type": "application/octet-stream",
    });

    expect(await text.json()).toEqual({ ok: true, result: 1 });
    expect(await file.json()).toEqual({ ok: true, result: ["string", 3] });
    expect(await bytes.json()).toEqual({ ok: true, result: 5 });
  });

  it.each([
    ["an unknown coding", Buffer.from("{}"), "snappy", 415],
    ["bytes that are not what they say", Buffer.from("{}"), "gzip", 400],
    ["a little that decodes to more than the limit", gzipSync(Buffer.alloc(3_000_000)), "gzip", 413],
  ])("compression of an exposure refuses %s", async (_what, body, coding, status) => {
    await using exposure = await startExposure([hello], { compression: { requests: true } });

    const reply = await exposure.post("/__runner/task/hello", body, { "content-encoding": coding });

    expect(reply.status).toBe(status);
  });

  it("compression of an exposure refuses a form that decodes to more than its parts may hold", async () => {
    await using exposure = await startExposure([hello], {
      compression: { requests: true },
      limits: { multipart: { fileSize: 1000, files: 1, fields: 1, fieldSize: 1000, parts: 2 } },
    });

    const reply = await exposure.post("/__runner/task/hello", gzipSync(Buffer.alloc(3_000_000)), {
      "content-encoding": "gzip",
      ...formHeaders,
    });

    expect([400, 413]).toContain(reply.status);
  });
});
