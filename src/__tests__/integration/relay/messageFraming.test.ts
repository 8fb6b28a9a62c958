import { once } from "node:events";
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { tunnelExpose, type TunnelExposeOptions, type TunnelRelayConfig } from "../../../node";
import { createDeferred } from "../../support/deferred";
import { head, sendRaw } from "../../support/relay/rawVisitor";
import { startRelay, startService, visit } from "../../support/relay/relay";
import { soon } from "../../support/soon";

const host = "Host: localhost";
const close = "Connection: close";

/** A service, and the port at which visitors reach it. */
async function published(
  service: Parameters<typeof startService>[0],
  { config, ...options }: Partial<TunnelExposeOptions> & { readonly config?: Partial<TunnelRelayConfig> } = {},
) {
  const relay = await startRelay(config);
  const local = await startService(service);
  const handle = await tunnelExpose({ ...relay.driver, port: local.port, ...options });
  return {
    relay,
    port: handle.containerPort,
    localPort: local.port,
    async [Symbol.asyncDispose]() {
      await handle.close();
      await local[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** Answers with what it was asked, once it has read all of it. */
const recordInto =
  (seen: unknown[]): RequestListener =>
  async (req, res) => {
    seen.push([req.method, req.url, await text(req)]);
    res.end("ok");
  };

describe("requests of visitors", () => {
  it.each(["GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT"])(
    "a chunked body of %s reaches a service as a body, and is never taken for a further request",
    async (method) => {
      const seen: unknown[] = [];
      await using site = await published(recordInto(seen));
      const inner = head("GET /admin HTTP/1.1", host);

      await sendRaw(
        site.port,
        head(`${method} /a HTTP/1.1`, host, close, "Transfer-Encoding: chunked"),
        `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
      );
      await visit(site.port, { path: "/next" });

      expect(seen).toEqual([
        [method, "/a", inner],
        ["GET", "/next", ""],
      ]);
    },
  );

  it("an upgrade that claims a body cannot have the next visitor's request read as one", async () => {
    const seen: unknown[] = [];
    await using site = await published(recordInto(seen));

    const refused = await sendRaw(
      site.port,
      head("GET /a HTTP/1.1", host, "Connection: Upgrade", "Upgrade: websocket", "Content-Length: 500"),
    );
    const next = await visit(site.port, { path: "/next" });

    expect(refused.split("\r\n", 1)).toEqual(["HTTP/1.1 400 Refused"]);
    expect(next.status).toBe(200);
    expect(seen).toEqual([["GET", "/next", ""]]);
  });

  it.each(["h2c", "H2C", "websocket, h2c"])("an upgrade to %s is refused and reaches no service", async (protocol) => {
    const seen: unknown[] = [];
    await using site = await published(recordInto(seen));

    const reply = await sendRaw(
      site.port,
      head(
        "GET /a HTTP/1.1",
        host,
        "Connection: Upgrade, HTTP2-Settings",
        `Upgrade: ${protocol}`,
        "HTTP2-Settings: AA",
      ),
    );

    expect(reply.split("\r\n", 1)).toEqual(["HTTP/1.1 400 Refused"]);
    expect(seen).toEqual([]);
  });

  it("requests in the absolute form reach the service in origin form, and only for the authority of Host", async () => {
    const seen: unknown[] = [];
    await using site = await published(recordInto(seen));

    const replies = [
      await sendRaw(site.port, head("GET http://localhost/a?b HTTP/1.1", host, close)),
      await sendRaw(site.port, head("GET http://169.254.169.254/latest HTTP/1.1", host, close)),
      await sendRaw(site.port, head("GET / HTTP/1.1", host, host, close)),
    ];

    expect(replies.map((reply) => reply.split(" ")[1])).toEqual(["200", "400", "400"]);
    expect(seen).toEqual([["GET", "/a?b", ""]]);
  });

  it.each(["visitor", "local"] as const)(
    "requests whose Connection lists Host and Content-Length keep both, since they are of the message, for a Host of the %s",
    async (hostHeader) => {
      const seen: unknown[] = [];
      await using site = await published(
        (req, res) => {
          const { host: stated, "content-length": length, "x-own": own } = req.headers;
          void text(req).then((body) => {
            seen.push([stated, length, own, body]);
            res.writeHead(200, { connection: "content-length, x-own", "content-length": 2, "x-own": "1" }).end("ok");
          });
        },
        { hostHeader },
      );

      const reply = await sendRaw(
        site.port,
        head(
          "POST / HTTP/1.1",
          host,
          "Connection: close, Host, content-length, X-Own",
          "Content-Length: 4",
          "X-Own: 1",
        ),
        "body",
      );

      const expectedHost = hostHeader === "visitor" ? "localhost" : `127.0.0.1:${site.localPort}`;
      expect(seen).toEqual([[expectedHost, "4", undefined, "body"]]);
      expect(reply).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*content-length: 2\r\n[^]*\r\n\r\nok$/);
      expect(reply).not.toContain("x-own");
    },
  );

  it("requests of HTTP/1.0 are answered without chunks, and their connection is closed", async () => {
    await using site = await published((_req, res) => {
      res.write("one ");
      res.end("two");
    });

    const reply = await sendRaw(site.port, head("GET / HTTP/1.0", host));

    expect(reply).toMatch(/\r\n\r\none two$/);
    expect(reply).not.toMatch(/transfer-encoding/i);
  });

  it("requests that were sent without waiting are answered in their order", async () => {
    const fast = createDeferred();
    await using site = await published((req, res) => {
      if (req.url === "/slow") void fast.promise.then(() => res.end(req.url));
      else res.end(req.url, fast.resolve);
    });

    const reply = await sendRaw(site.port, head("GET /slow HTTP/1.1", host) + head("GET /fast HTTP/1.1", host, close));

    expect([...reply.matchAll(/\/(slow|fast)/g)].map(([path]) => path)).toEqual(["/slow", "/fast"]);
  });

  it.each(["its own port", "the relay's port"])(
    "a visitor who asks first, at %s, is told once by the service that it may send its body",
    async (place) => {
      const told: string[] = [];
      const service = createServer(recordInto([])).on("checkContinue", (req: IncomingMessage, res) => {
        told.push(req.headers.expect ?? "");
        res.writeContinue();
        service.emit("request", req, res);
      });
      await using site = await published(service, {
        name: "web",
        config: { publicUrlPattern: "http://{name}.localhost" },
      });
      const port = place === "its own port" ? site.port : site.relay.relay.port;

      const reply = await sendRaw(
        port,
        head("PUT / HTTP/1.1", "Host: web.localhost", close, "Expect: 100-continue", "Content-Length: 3"),
        "abc",
      );

      expect(told).toEqual(["100-continue"]);
      expect(reply.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 100", "HTTP/1.1 200"]);
    },
  );

  it("a service may refuse a body that a visitor asks about", async () => {
    const service = createServer().on("checkContinue", (_req, res) => void res.writeHead(417).end());
    await using site = await published(service);

    const reply = await sendRaw(
      site.port,
      head("PUT / HTTP/1.1", host, close, "Expect: 100-continue", "Content-Length: 3"),
    );

    expect(reply.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 417"]);
  });

  it("a server that a relay is attached to answers Expect of its own visitors as before", async () => {
    await using shared = await startService(recordInto([]));
    await using relay = await startRelay({ listen: undefined, server: shared.server as Server });
    const { port } = shared;
    expect(relay.relay.port).toBe(port);

    const reply = await sendRaw(
      port,
      head("PUT / HTTP/1.1", host, close, "Expect: 100-continue", "Content-Length: 3"),
      "abc",
    );

    expect(reply.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 100", "HTTP/1.1 200"]);
  });
});

describe("responses of services", () => {
  it("responses without a body come without one: HEAD, 204 and 304", async () => {
    await using site = await published((req, res) => {
      if (req.method === "HEAD") res.writeHead(200, { "content-length": 5 }).end();
      else res.writeHead(Number(req.url?.slice(1)), { etag: '"a"' }).end();
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });

    const replies = [
      await visit(site.port, { method: "HEAD", agent }),
      await visit(site.port, { path: "/204", agent }),
      await visit(site.port, { path: "/304", agent }),
    ];
    agent.destroy();

    expect(replies.map(({ status, headers, body }) => [status, headers["content-length"], body.length])).toEqual([
      [200, "5", 0],
      [204, undefined, 0],
      [304, undefined, 0],
    ]);
  });

  it("early hints and trailers pass a tunnel", async () => {
    const links = ["</a.css>; rel=preload", "</b.css>; rel=preload"];
    await using site = await published((_req, res) => {
      res.writeEarlyHints({ link: links });
      res.writeHead(200, { trailer: "x-sum" });
      res.write("body");
      res.addTrailers({ "x-sum": "4" });
      res.end();
    });
    const call = httpRequest({ host: "127.0.0.1", port: site.port, agent: false }).end();
    const hints = once(call, "information");
    const [message] = (await once(call, "response")) as [IncomingMessage];

    expect(await text(message)).toBe("body");
    expect(await soon(hints)).toMatchObject([{ statusCode: 103, headers: { link: links.join(", ") } }]);
    expect(message.trailers).toEqual({ "x-sum": "4" });
  });

  it("early hints in a form that Node does not send are left out, and the response follows", async () => {
    const service = createTcpServer((socket) => {
      socket.end("HTTP/1.1 103 Early Hints\r\nLink: a.css\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
    });
    await using site = await published(service);

    expect(String((await visit(site.port)).body)).toBe("body");
  });

  it("events arrive one by one, while the response goes on", async () => {
    let send = (_event: string): void => {};
    let hasLeft = (): void => {};
    const left = new Promise<void>((resolve) => (hasLeft = resolve));
    await using site = await published((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      res.once("close", hasLeft);
      send = (event) => void res.write(`data: ${event}\n\n`);
    });
    const call = httpRequest({ host: "127.0.0.1", port: site.port, agent: false }).end();
    const [message] = (await soon(once(call, "response"))) as [IncomingMessage];

    const received: string[] = [];
    for (const event of ["first", "second", "third"]) {
      send(event);
      received.push(String((await soon(once(message, "data")))[0]));
    }
    call.destroy();
    await soon(left);

    expect(received).toEqual(["data: first\n\n", "data: second\n\n", "data: third\n\n"]);
  });

  it("an upgrade that a service refuses, and breaks off while it does, is cut at the visitor", async () => {
    const service = createServer().on("upgrade", (_req, socket) => {
      socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nhalf", () => socket.destroy());
    });
    await using site = await published(service);

    const reply = await sendRaw(site.port, head("GET / HTTP/1.1", host, "Connection: Upgrade", "Upgrade: websocket"));

    expect(reply).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/);
    expect(reply).toContain("Content-Length: 100");
  });
});
