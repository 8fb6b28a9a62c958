import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { createDeferred } from "../../../__tests__/support/deferred";
import { soon } from "../../../__tests__/support/soon";
import { decodeControl, encodeControl, type ControlMessage } from "../../../relay/controlMessages";
import { encodeRequestHead } from "../../../relay/framePayloads";
import { encodeFrameHeader, flagEnd, FrameReader, FrameType } from "../../../relay/frames";
import { TunnelSession } from "./tunnelSession";

const frame = (type: FrameType, flags: number, streamId: number, payload: Uint8Array): Uint8Array[] => [
  encodeFrameHeader(type, flags, streamId, payload.length),
  payload,
];
const control = (message: Readonly<Record<string, unknown>>): Uint8Array[] =>
  frame(FrameType.CONTROL, 0, 0, encodeControl(message as unknown as ControlMessage));

it("a driver serves a visitor that arrives in one message with the answer to its BIND", async () => {
  const relay = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "hoody-tunnel.v2" });
  const opened = createDeferred<number>();
  relay.on("connection", (ws) => {
    const reader = new FrameReader(262_144, ({ type, payload }) => {
      const message = type === FrameType.CONTROL ? decodeControl(payload) : undefined;
      if (message?.t === "HELLO") {
        const sizes = { maxStreams: 10, maxFrame: 65_536, window: 262_144, maxWindow: 262_144 };
        const times = { pingMs: 15_000, deadMs: 60_000, graceMs: 60_000 };
        const lists = { features: [], bindings: [], limits: { maxBindings: 1, sessionBufferBytes: 1_000_000 } };
        const ids = { sessionId: "ts_1", resumeToken: "r", shardToken: "s", resumed: false, connections: 1 };
        ws.send(
          Buffer.concat(control({ t: "HELLO_OK", protocol: "hoody-tunnel.v2", ...ids, ...sizes, ...times, ...lists })),
        );
      }
      if (message?.t !== "BIND") return;
      const head = { method: "GET", target: "/", headers: [], bindId: 7, peer: "", requestId: "req_1" };
      ws.send(
        Buffer.concat([
          ...control({ t: "BIND_OK", req: message.req, bindId: 7, containerPort: 3_000, publicUrl: null }),
          ...frame(FrameType.HEAD, flagEnd, 1, encodeRequestHead(head)),
        ]),
      );
    });
    ws.on("message", (data: Buffer) => reader.push(data));
  });
  await once(relay, "listening");
  const { port } = relay.address() as AddressInfo;
  await using session = new TunnelSession({ relay: `http://127.0.0.1:${port}` });
  const target = { open: () => opened.resolve(1), close: () => {} };
  const bound = session.bind({ kind: "http", mode: "expose", containerPort: 0, target });

  expect(await soon(opened.promise)).toBe(1);
  expect((await soon(bound)).bindId).toBe(7);
  for (const client of relay.clients) client.terminate();
  relay.close();
});
