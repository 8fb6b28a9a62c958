import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { tunnelExpose, tunnelServe } from "../../../node";
import { sha256, startRelay, startService } from "../../support/relay/relay";
import { soon } from "../../support/soon";

const sent = Buffer.alloc(3_000_000, "asked ");
const answer = Buffer.alloc(3_000_000, "answered ");
const upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n";
const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n";

/** All that comes, without destroying what is still open in the other direction, as iterating over it would. */
async function readAll(socket: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = [];
  socket.on("data", (piece: Buffer) => pieces.push(piece)).resume();
  await once(socket, "end");
  return Buffer.concat(pieces);
}

/** A visitor whose connection was switched, with what comes over it. */
async function switchedVisitor(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.write(upgrade);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const [piece] = (await soon(once(socket, "data"))) as [Buffer];
    head += piece.toString("latin1");
  }
  socket.pause().unshift(Buffer.from(head.slice(head.indexOf("\r\n\r\n") + 4), "latin1"));
  return socket;
}

describe.each(["behind a port", "in this process"])("an upgraded connection to a service %s", (place) => {
  const title = `an upgraded connection to a service ${place}`;

  /** Has a service take over upgraded connections. */
  function published(serve: (socket: Duplex) => void) {
    const server = createServer();
    server.on("upgrade", (_req, socket: Duplex) => {
      socket.write(switched);
      serve(socket);
    });
    return publish(server);
  }

  async function publish(server: Server) {
    const relay = await startRelay();
    const service = place === "in this process" ? undefined : await startService(server);
    const handle =
      service === undefined
        ? await tunnelServe({ ...relay.driver, server })
        : await tunnelExpose({ ...relay.driver, port: service.port });
    return {
      port: handle.containerPort,
      session: handle.session,
      async [Symbol.asyncDispose]() {
        await handle.close();
        await service?.[Symbol.asyncDispose]();
        await relay[Symbol.asyncDispose]();
      },
    };
  }

  it(`${title} that its visitor ends first is answered to the end`, async () => {
    let received: Promise<Buffer> | undefined;
    await using site = await published((socket) => {
      received = readAll(socket);
      void received.then(() => socket.end(answer));
    });
    const socket = await switchedVisitor(site.port);
    socket.end(sent);
    const back = await soon(readAll(socket));

    expect(sha256(back)).toBe(sha256(answer));
    expect(sha256((await received) as Buffer)).toBe(sha256(sent));
    while (site.session.activeStreams > 0) await new Promise(setImmediate);
  });

  it(`${title} that its service ends first is read to the end`, async () => {
    let received: Promise<Buffer> | undefined;
    await using site = await published((socket) => {
      received = readAll(socket);
      socket.end(answer);
    });
    const socket = await switchedVisitor(site.port);
    const back = await soon(readAll(socket));
    socket.end(sent);

    expect(sha256(back)).toBe(sha256(answer));
    expect(sha256(await soon(received as Promise<Buffer>))).toBe(sha256(sent));
    while (site.session.activeStreams > 0) await new Promise(setImmediate);
  });

  it.each([
    ["goes on", false],
    ["ends with it", true],
  ])(
    `${title} carries what comes in one write with the request and with the 101, to a visitor who %s`,
    async (_what, isEnded) => {
      const server = createServer();
      let received: Promise<Buffer> | undefined;
      server.on("upgrade", (_req, socket: Duplex, head: Buffer) => {
        socket.unshift(head);
        socket.write(`${switched}from the service`);
        received = readAll(socket);
        void received.then(() => socket.end());
      });
      await using site = await publish(server);
      const socket = connect({ port: site.port, host: "127.0.0.1", allowHalfOpen: true });
      const all = readAll(socket);
      socket.write(`${upgrade}from the visitor`);
      if (isEnded) socket.end();
      else socket.once("data", () => socket.end());
      const text = String(await soon(all));

      expect(text).toMatch(/^HTTP\/1\.1 101 /);
      expect(text.slice(text.indexOf("\r\n\r\n") + 4)).toBe("from the service");
      expect(String(await soon(received as Promise<Buffer>))).toBe("from the visitor");
      while (site.session.activeStreams > 0) await new Promise(setImmediate);
    },
  );

  it(`${title} whose visitor ends before it is switched, without a byte, is ended at its service`, async () => {
    const server = createServer();
    let received: Promise<Buffer> | undefined;
    server.on("upgrade", (_req, socket: Duplex) => {
      socket.write(switched);
      received = readAll(socket);
      void received.then(() => socket.end("goodbye"));
    });
    await using site = await publish(server);
    const socket = connect({ port: site.port, host: "127.0.0.1", allowHalfOpen: true });
    socket.end(upgrade);
    const text = String(await soon(readAll(socket)));

    expect(text).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\ngoodbye$/);
    expect(await soon(received as Promise<Buffer>)).toHaveLength(0);
    while (site.session.activeStreams > 0) await new Promise(setImmediate);
  });
});
