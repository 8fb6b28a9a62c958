import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
  type Server,
} from "node:http";
import { text } from "node:stream/consumers";
import { tunnelExpose, tunnelServe } from "../../../node";
import { rejectionOf } from "../../support/failures";
import { head, sendRaw } from "../../support/relay/rawVisitor";
import { startRelay, startService, tellError, visit } from "../../support/relay/relay";
import { soon } from "../../support/soon";

/** A service behind a relay, in this process or behind a port of it. */
async function publish(place: string, service: Server | RequestListener) {
  const relay = await startRelay();
  const server = typeof service === "function" ? createServer(service) : service;
  const local = place === "in this process" ? undefined : await startService(server);
  const handle =
    local === undefined
      ? await tunnelServe({ ...relay.driver, server })
      : await tunnelExpose({ ...relay.driver, port: local.port });
  return {
    port: handle.containerPort,
    session: handle.session,
    async [Symbol.asyncDispose]() {
      await handle.close();
      await local?.[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

const places = ["in this process", "behind a port"];
const methods = ["GET", "POST"];

/** The request as raw text, with three bytes of body where the method has one. */
const requestText = (method: string, ...lines: readonly string[]): string => {
  const framing = method === "POST" ? ["Content-Length: 3"] : [];
  return head(`${method} / HTTP/1.1`, "Host: localhost", "Connection: close", ...framing, ...lines);
};
const bodyOf = (method: string): string => (method === "POST" ? "abc" : "");

/** Names and values in turn, of those that tests made up. */
const ownHeaders = (raw: readonly string[]): string[] =>
  raw.filter((_, index) => /^x-own/i.test(raw[index & ~1] ?? ""));

describe.each(places.flatMap((place) => methods.map((method) => [method, place] as const)))(
  "%s to a service %s",
  (method, place) => {
    const title = `${method} to a service ${place}`;

    it(`${title} keeps order, case and repetitions of headers, in both directions`, async () => {
      const seen: string[][] = [];
      await using site = await publish(place, (req, res) => {
        seen.push(ownHeaders(req.rawHeaders));
        res.writeHead(200, "Fine", ["X-Own-Z", "1", "x-own-a", "\u00e4", "X-Own-Z", "2"]).end();
      });
      const reply = await sendRaw(
        site.port,
        requestText(method, "X-Own-B: 1", "x-OWN-a: \u00fc", "X-Own-B: 2") + bodyOf(method),
      );

      expect(seen).toEqual([["X-Own-B", "1", "x-OWN-a", "\u00fc", "X-Own-B", "2"]]);
      expect(reply.split("\r\n").filter((line) => /^x-own|^HTTP/i.test(line))).toEqual([
        "HTTP/1.1 200 Fine",
        "X-Own-Z: 1",
        "x-own-a: \u00e4",
        "X-Own-Z: 2",
      ]);
    });

    it(`${title} passes on early hints, a body in pieces and trailers`, async () => {
      const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
        res.writeEarlyHints({ link: "</style.css>; rel=preload" });
        const sent = await text(req);
        res.setHeader("Trailer", "X-Own-Sum");
        res.write("first,");
        await new Promise(setImmediate);
        res.write(Buffer.from("second,"));
        res.addTrailers({ "X-Own-Sum": "42" });
        res.end(sent);
      };
      await using site = await publish(place, (req, res) => void answer(req, res));
      const call = httpRequest({ host: "127.0.0.1", port: site.port, method, agent: false });
      const hinted = once(call, "information") as Promise<
        [{ statusCode: number; headers: IncomingMessage["headers"] }]
      >;
      const answered = once(call, "response") as Promise<[IncomingMessage]>;
      call.end(bodyOf(method));
      const [{ statusCode, headers }] = await soon(hinted);
      const [message] = await soon(answered);

      expect([statusCode, headers.link]).toEqual([103, "</style.css>; rel=preload"]);
      expect(await soon(text(message))).toBe(`first,second,${bodyOf(method)}`);
      expect(ownHeaders(message.rawTrailers)).toEqual(["X-Own-Sum", "42"]);
    });

    it(`${title} that sends its head alone keeps what of it is not ASCII`, async () => {
      await using site = await publish(place, (_req, res) => {
        res.writeHead(200, ["X-Own", "\u00e4"]).write(Buffer.alloc(0));
        setImmediate(() => res.end());
      });
      const reply = await sendRaw(site.port, requestText(method) + bodyOf(method));

      expect(reply).toContain("X-Own: \u00e4\r\n");
    });

    it(`${title} learns that its visitor left`, async () => {
      let left: Promise<unknown> | undefined;
      await using site = await publish(place, (req, res) => {
        left = once(res, "close").then(() => [res.writableFinished, req.destroyed]);
        res.write("first");
      });
      const call = httpRequest({ host: "127.0.0.1", port: site.port, method, agent: false });
      call.on("error", () => {}).end(bodyOf(method));
      await soon(once(call, "response"));
      call.destroy();

      expect(await soon(left ?? Promise.reject(new Error("Not served.")))).toEqual([false, true]);
    });

    it(`${title} that breaks off has its visitor's connection cut, or answered 502 before the response began`, async () => {
      await using site = await publish(place, (req, res) => {
        if (req.url === "/late") res.write("first", () => res.destroy());
        else req.destroy();
      });
      const before = await visit(site.port, { method, path: "/early" });
      const after = await rejectionOf(soon(visit(site.port, { method, path: "/late" })));

      expect(tellError(before)).toEqual([502, "TUNNEL_INTERRUPTED", undefined]);
      expect(after).toMatchObject({ code: "ECONNRESET" });
    });

    it(`${title} that writes faster than its visitor reads is told to wait`, async () => {
      let written = 0;
      let waits: Promise<unknown> | undefined;
      await using site = await publish(place, (_req, res) => {
        const piece = Buffer.alloc(65_536);
        while (res.write(piece)) written += piece.length;
        waits = once(res, "drain");
        void waits.then(() => res.end("the end"));
      });
      const call = httpRequest({ host: "127.0.0.1", port: site.port, method, agent: false }).end(bodyOf(method));
      const [message] = (await soon(once(call, "response"))) as [IncomingMessage];

      expect(written).toBeLessThan(16 * 1024 * 1024);
      expect((await soon(text(message))).endsWith("the end")).toBe(true);
    });
  },
);

describe.each(places)("a service %s", (place) => {
  it(`a service ${place} serves requests one after the other over one connection`, async () => {
    const sockets = new Set<unknown>();
    await using site = await publish(place, (req, res) => {
      sockets.add(req.socket);
      res.end();
    });
    for (let time = 0; time < 3; time++) await visit(site.port);

    expect(sockets.size).toBe(1);
  });

  it.each(["GET", "HEAD", "DELETE"])(
    `a service ${place} answers %s without a body where there is none`,
    async (method) => {
      await using site = await publish(place, (req, res) => {
        res
          .writeHead(req.method === "DELETE" ? 204 : 200, req.method === "HEAD" ? { "content-length": "7" } : {})
          .end();
      });
      const { status, headers, body } = await visit(site.port, { method });

      expect([status, headers["content-length"], body.length]).toEqual([
        method === "DELETE" ? 204 : 200,
        method === "HEAD" ? "7" : undefined,
        0,
      ]);
      expect((await visit(site.port)).status).toBe(200);
    },
  );

  it(`a service ${place} may end a body by closing the connection, and serves the next one`, async () => {
    await using site = await publish(place, (_req, res) => {
      res.removeHeader("transfer-encoding");
      res.write("until ");
      res.end("the close");
    });

    expect(String((await visit(site.port)).body)).toBe("until the close");
    expect(String((await visit(site.port)).body)).toBe("until the close");
  });
});
