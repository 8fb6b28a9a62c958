import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { tunnelExpose, tunnelPull, tunnelServe } from "../../../node";
import { createDeferred } from "../../support/deferred";
import { rejectionOf } from "../../support/failures";
import { sha256, startRelay, startService, startTcpService, tellError, visit } from "../../support/relay/relay";
import { soon } from "../../support/soon";

const MiB = 1024 * 1024;

/** Sends a body for as long as it is taken. @returns what was answered */
async function upload(
  port: number,
  bytes: number,
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const call = httpRequest({
    host: "127.0.0.1",
    port,
    agent: false,
    method: "POST",
    headers: { "content-length": bytes },
  });
  const piece = Buffer.alloc(64 * 1024, "up");
  let left = bytes;
  const send = (): void => {
    while (left > 0 && !call.destroyed) {
      const size = Math.min(left, piece.length);
      left -= size;
      if (!call.write(piece.subarray(0, size))) return void call.once("drain", send);
    }
    if (left === 0) call.end();
  };
  // After an early answer the rest may have nowhere to go.
  call.on("error", () => {});
  send();
  const [message] = (await once(call, "response")) as [IncomingMessage];
  return { status: message.statusCode, text: await text(message) };
}

/** Publishes a listener of this process, or the port that it is served at. */
const publish = (place: string, driver: { relay: string; token: string }, listener: RequestListener, port: number) =>
  place === "in this process" ? tunnelServe({ ...driver, server: listener }) : tunnelExpose({ ...driver, port });

describe.each(["in this process", "behind a port"])(
  "a service %s that answers before it has read a request",
  (place) => {
    const title = `a service ${place} that answers`;

    it.each(["reads the rest", "leaves the rest unread"])(
      `${title} 100 MB early and %s is heard, and holds nothing up`,
      async (way) => {
        await using relay = await startRelay();
        const listener: RequestListener = (req, res) => {
          res.writeHead(413, { "content-length": 9 }).end("too large");
          if (way === "reads the rest") req.resume();
        };
        await using service = await startService(listener);
        await using handle = await publish(place, relay.driver, listener, service.port);

        expect(await soon(upload(handle.containerPort, 100 * MiB))).toEqual({ status: 413, text: "too large" });
        expect((await visit(handle.containerPort)).status).toBe(413);
      },
    );

    it(`${title} early and closes is heard each time, whatever of the request is still on its way`, async () => {
      await using relay = await startRelay();
      const listener: RequestListener = (_req, res) => {
        res.writeHead(413, { connection: "close" }).end("too large");
      };
      await using service = await startService(listener);
      await using handle = await publish(place, relay.driver, listener, service.port);

      for (let time = 0; time < 8; time++) {
        expect(await soon(upload(handle.containerPort, 100 * MiB))).toEqual({ status: 413, text: "too large" });
      }
      expect(relay.relay.sessions()).toMatchObject([{ isAttached: true }]);
    });
  },
);

describe("a TCP service that answers before it has read a request", () => {
  it("a TCP service that answers early and closes is heard, whatever its peer still sends", async () => {
    await using relay = await startRelay();
    await using service = await startTcpService((socket) => {
      socket.on("error", () => {});
      socket.once("readable", () => socket.end("-ERR full", () => socket.destroy()));
    });
    await using handle = await tunnelPull({ ...relay.driver, containerPort: 0, localPort: service.port });

    for (let time = 0; time < 8; time++) {
      const socket = connect({ port: handle.containerPort, host: "127.0.0.1" });
      socket.on("error", () => {});
      let received = "";
      socket.on("data", (piece: Buffer) => (received += String(piece)));
      for (let sent = 0; sent < 32; sent++) socket.write(Buffer.alloc(64 * 1024));
      await soon(once(socket, "close"));
      expect(received).toBe("-ERR full");
    }
  });
});

describe("a service that closes after it has sent everything", () => {
  const sent = Buffer.alloc(12 * MiB, "a body that is larger than every buffer on its way");

  it.each(["in this process", "behind a port"])(
    "a service %s that closes while its visitor still reads is read to the end",
    async (place) => {
      await using relay = await startRelay();
      const closed = createDeferred();
      const listener = (_req: IncomingMessage, res: ServerResponse): void => {
        res.writeHead(200, { connection: "close" }).end(sent, closed.resolve);
      };
      await using service = await startService(listener);
      await using handle =
        place === "in this process"
          ? await tunnelServe({ ...relay.driver, server: listener })
          : await tunnelExpose({ ...relay.driver, port: service.port });
      const call = httpRequest({ host: "127.0.0.1", port: handle.containerPort, agent: false }).end();
      const [message] = (await soon(once(call, "response"))) as [IncomingMessage];

      expect(sha256(await soon(buffer(message)))).toBe(sha256(sent));
      await soon(closed.promise);
    },
  );

  it("a TCP service that closes while its peer reads nothing yet is read to the end", async () => {
    await using relay = await startRelay();
    await using service = await startTcpService((socket) => socket.resume().end(sent));
    await using handle = await tunnelPull({ ...relay.driver, containerPort: 0, localPort: service.port });
    const socket = connect({ port: handle.containerPort, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    const received = buffer(socket);

    expect(sha256(await soon(received))).toBe(sha256(sent));
    socket.end();
  });
});

describe("a service that is not there", () => {
  it("a service that refuses, and one that never accepts, are told apart, and one that comes back is served", async () => {
    await using relay = await startRelay();
    const gone = await startService(() => {});
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    await using handle = await tunnelExpose({ ...relay.driver, port });
    // A reserved address (RFC 5737): nothing there accepts or refuses.
    await using unreachable = await tunnelExpose({ ...relay.driver, url: "http://192.0.2.1:9", connectTimeoutMs: 100 });

    const refused = await visit(handle.containerPort);
    const dark = await visit(unreachable.containerPort);
    await using back = await startService((_req, res) => void res.end("back"));
    await using again = await tunnelExpose({ ...relay.driver, port: back.port, containerPort: 0 });

    expect(tellError(refused)).toEqual([502, "LOCAL_CONNECT_FAILED", undefined]);
    expect(dark.status).toBe(502);
    expect(["LOCAL_CONNECT_TIMEOUT", "LOCAL_CONNECT_FAILED"]).toContain(dark.headers["x-hoody-tunnel-error"]);
    expect(String((await visit(again.containerPort)).body)).toBe("back");
  });

  it("a service that restarts between two requests is reached again, and no request is handled twice", async () => {
    await using relay = await startRelay();
    const handled: string[] = [];
    const listener = (req: IncomingMessage, res: ServerResponse): void => {
      handled.push(req.url ?? "");
      res.end();
    };
    const first = await startService(listener);
    await using handle = await tunnelExpose({ ...relay.driver, port: first.port });
    await visit(handle.containerPort, { path: "/1", method: "POST" });
    await first[Symbol.asyncDispose]();
    const away = await visit(handle.containerPort, { path: "/2", method: "POST" });
    await using second = await startService(listener, first.port);
    const back = await visit(handle.containerPort, { path: "/3", method: "POST" });

    expect(second.port).toBe(first.port);
    expect(away.status).toBe(502);
    expect(back.status).toBe(200);
    expect(handled).toEqual(["/1", "/3"]);
  });

  it("a service that breaks off within a response has its visitor cut, and never read a whole reply", async () => {
    await using relay = await startRelay();
    await using service = await startService((_req, res) => {
      res.write("a beginning", () => res.destroy());
    });
    await using handle = await tunnelExpose({ ...relay.driver, port: service.port });

    expect(await rejectionOf(soon(visit(handle.containerPort)))).toMatchObject({ code: "ECONNRESET" });
  });
});
