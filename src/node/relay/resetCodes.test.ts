import { connect } from "node:net";
import { bareDriver, type BareDriver } from "../../__tests__/support/bareDriver";
import { driver, expose, startRelay, startService, visit } from "../../__tests__/support/bareRelay";
import { soon } from "../../__tests__/support/soon";
import { encodeWindow } from "../../relay/framePayloads";
import { FrameType } from "../../relay/frames";

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** The code of the next RESET, as the number that is on the wire. */
async function resetCode(bare: BareDriver, id: number): Promise<number> {
  const { streamId, payload } = await bare.nextFrame(FrameType.RESET);
  expect(streamId).toBe(id);
  return ((payload[0] as number) << 8) | (payload[1] as number);
}

/** @param head of the request; its body, if it says that there is one, does not follow */
function visitWithoutReading(port: number, head = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).pause();
  socket.write(head);
  return { [Symbol.dispose]: () => void socket.destroy() };
}

/** A driver whose visitor reads nothing, at a relay with these limits. */
async function stalled(limits: Readonly<Record<string, number>>) {
  const relay = await startRelay({ limits });
  const bare = await bareDriver(relay.url);
  await bare.greet();
  const { containerPort } = (await bare.bind()) as { containerPort: number };
  const visitor = visitWithoutReading(containerPort);
  const { streamId } = await bare.nextFrame(FrameType.HEAD);
  bare.frame(FrameType.ACCEPT, 0, streamId);
  bare.frame(FrameType.HEAD, 0, streamId, json({ s: 200, r: "OK", h: [] }));
  return {
    bare,
    streamId,
    containerPort,
    /** 768 KiB in one write: nothing of it can be taken in between. */
    flood(id: number) {
      const piece = Buffer.alloc(8 + 65_536);
      piece.writeUInt32BE(65_536, 0);
      piece.writeUInt32BE(id, 4);
      bare.ws.send(Buffer.concat(Array<Buffer>(12).fill(piece)));
    },
    async [Symbol.asyncDispose]() {
      visitor[Symbol.dispose]();
      await bare[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

it("a binding that is taken over has its streams reset with 2, before the driver is told that it is revoked", async () => {
  await using relay = await startRelay();
  await using first = await bareDriver(relay.url);
  await first.greet();
  const { bindId, containerPort } = (await first.bind()) as { bindId: number; containerPort: number };
  const visited = visit(containerPort).then(({ message }) => message.statusCode);
  const { streamId } = await first.nextFrame(FrameType.HEAD);
  const received: Buffer[] = [];
  first.ws.on("message", (data: Buffer) => received.push(data));
  await using second = await bareDriver(relay.url);
  await second.greet();
  await second.bind({ containerPort, takeover: true });

  expect(await resetCode(first, streamId)).toBe(2);
  expect(await first.next("BIND_REVOKED")).toEqual({ t: "BIND_REVOKED", bindId, code: "TAKEOVER" });
  const reason = Buffer.concat(received).indexOf("The binding has gone.");
  expect(reason).toBeGreaterThan(0);
  expect(reason).toBeLessThan(Buffer.concat(received).indexOf("BIND_REVOKED"));
  expect(await soon(visited)).toBe(502);
});

it("a stream over its window is reset with 6, and the second one ends the session with 1002", async () => {
  await using scene = await stalled({ window: 65_536, maxWindow: 65_536 });
  scene.flood(scene.streamId);

  expect(await resetCode(scene.bare, scene.streamId)).toBe(6);
  using again = visitWithoutReading(scene.containerPort);
  const { streamId } = await scene.bare.nextFrame(FrameType.HEAD);
  scene.bare.frame(FrameType.HEAD, 0, streamId, json({ s: 200, r: "OK", h: [] }));
  scene.flood(streamId);

  expect(await scene.bare.next("GOAWAY")).toMatchObject({ code: "PROTOCOL_ERROR" });
  expect(await scene.bare.closed()).toMatchObject({ code: 1002 });
  again[Symbol.dispose]();
});

it("the largest stream of a session that holds too much is reset with 12, and the session goes on", async () => {
  await using scene = await stalled({ window: 1_048_576, maxWindow: 1_048_576, sessionBufferBytes: 65_536 });
  scene.flood(scene.streamId);

  expect(await resetCode(scene.bare, scene.streamId)).toBe(12);
  scene.bare.send({ t: "UNBIND", req: 7, bindId: 99 });
  expect(await scene.bare.next("UNBIND_OK")).toEqual({ t: "UNBIND_OK", req: 7 });
});

it("a service that breaks off is counted as LOCAL_RESET, and one that refuses as LOCAL_CONNECT_FAILED", async () => {
  await using relay = await startRelay();
  await using service = await startService((req) => req.socket.destroy());
  const session = await driver(relay.url);
  const broken = await session.bind(expose(service.port));
  const gone = await session.bind(expose(1));
  const statuses = [await visit(broken.containerPort), await visit(gone.containerPort)];
  const response = await fetch(`${relay.url}/api/v1/tunnel/metrics`, { headers: { "x-runner-token": "op" } });
  const metrics = await response.text();
  await session.close();

  expect(statuses.map(({ message }) => message.statusCode)).toEqual([502, 502]);
  expect(metrics).toContain('hoody_tunnel_stream_resets_total{code="LOCAL_RESET"} 1');
  expect(metrics).toContain('hoody_tunnel_stream_resets_total{code="LOCAL_CONNECT_FAILED"} 1');
});

it("of two drivers that resume with one token at one moment, one has the session and its bindings", async () => {
  await using relay = await startRelay();
  const first = await bareDriver(relay.url);
  const { sessionId, resumeToken } = await first.greet();
  const { bindId, containerPort } = (await first.bind()) as { bindId: number; containerPort: number };
  first.ws.terminate();
  await first.closed();
  await using left = await bareDriver(relay.url);
  await using right = await bareDriver(relay.url);
  const resume = { sessionId, token: resumeToken };
  const hellos = await Promise.all([left.greet({ resume }), right.greet({ resume })]);
  const at = hellos.findIndex(({ resumed }) => resumed);
  const [winner, loser] = [[left, right][at], [left, right][1 - at]] as [BareDriver, BareDriver];

  expect(hellos.map(({ resumed }) => resumed).sort()).toEqual([false, true]);
  expect(hellos[at]).toMatchObject({ sessionId, bindings: [{ bindId, containerPort }] });
  expect(hellos[1 - at]).toMatchObject({ bindings: [] });
  expect(hellos[1 - at]?.sessionId).not.toBe(sessionId);
  const visited = visit(containerPort);
  visited.catch(() => {});
  await winner.nextFrame(FrameType.HEAD);
  expect([winner.ws.readyState, loser.ws.readyState, loser.frames]).toEqual([1, 1, []]);
});

describe("a flood of a driver", () => {
  /** A driver that attacks beside one that serves. */
  async function beside() {
    const relay = await startRelay();
    const service = await startService((_req, res) => void res.end("ok"));
    const healthy = await driver(relay.url);
    const { containerPort } = await healthy.bind(expose(service.port));
    const hostile = await bareDriver(relay.url);
    await hostile.greet();
    const bound = (await hostile.bind()) as { containerPort: number };
    const visited = visit(bound.containerPort);
    visited.catch(() => {});
    const { streamId } = await hostile.nextFrame(FrameType.HEAD);
    return {
      hostile,
      containerPort: bound.containerPort,
      streamId,
      visited,
      serves: async () => (await soon(visit(containerPort))).text,
      async [Symbol.asyncDispose]() {
        await healthy.close();
        await hostile[Symbol.asyncDispose]();
        await service[Symbol.asyncDispose]();
        await relay[Symbol.asyncDispose]();
      },
    };
  }

  /** So many frames of one kind, as bytes. */
  function frames(count: number, type: number, streamId: number, payload: Uint8Array): Buffer[] {
    const one = Buffer.alloc(8 + payload.length);
    one.writeUInt32BE(((type << 24) | payload.length) >>> 0, 0);
    one.writeUInt32BE(streamId, 4);
    one.set(payload, 8);
    const perMessage = 1_000;
    return Array.from({ length: count / perMessage }, () => Buffer.concat(Array<Buffer>(perMessage).fill(one)));
  }

  it("a flood of 100,000 resets of one stream costs its visitor a 502, and leaves both sessions as they are", async () => {
    await using scene = await beside();
    for (const message of frames(100_000, FrameType.RESET, scene.streamId, Buffer.alloc(10))) {
      scene.hostile.ws.send(message);
    }
    expect((await soon(scene.visited)).message.statusCode).toBe(502);
    scene.hostile.send({ t: "UNBIND", req: 3, bindId: 99 });

    expect(await scene.hostile.next("UNBIND_OK")).toMatchObject({ req: 3 });
    expect(await scene.serves()).toBe("ok");
  });

  it("a flood of 100,000 windows that say nothing new has no effect", async () => {
    await using scene = await beside();
    const same = encodeWindow({ consumedTotal: 0, windowBytes: 262_144 });
    for (const message of frames(100_000, FrameType.WINDOW, scene.streamId, same)) scene.hostile.ws.send(message);
    scene.hostile.send({ t: "UNBIND", req: 4, bindId: 99 });

    expect(await scene.hostile.next("UNBIND_OK")).toMatchObject({ req: 4 });
    expect(await scene.serves()).toBe("ok");
  });

  it.each([
    ["for bytes that were never sent", "000000000000000100000000"],
    ["beyond what a number can count", "ffffffffffffffff00000000"],
  ])("credit %s ends the session that gives it, and no other one", async (_title, payload) => {
    await using scene = await beside();
    using visitor = visitWithoutReading(
      scene.containerPort,
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n",
    );
    const { streamId } = await scene.hostile.nextFrame(FrameType.HEAD);
    scene.hostile.frame(FrameType.WINDOW, 0, streamId, Buffer.from(payload, "hex"));

    expect(await scene.hostile.next("GOAWAY")).toMatchObject({ code: "PROTOCOL_ERROR" });
    expect(await scene.hostile.closed()).toMatchObject({ code: 1002 });
    expect(await scene.serves()).toBe("ok");
    visitor[Symbol.dispose]();
  });
});
