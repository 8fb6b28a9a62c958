import { once } from "node:events";
import { WebSocket } from "ws";
import { decodeControl, encodeControl, type ControlMessage, type Hello } from "../../relay/controlMessages";
import { encodeFrameHeader, FrameReader, FrameType, type Frame } from "../../relay/frames";
import { soon } from "./soon";

export interface BareDriverOptions {
  readonly token?: string | undefined;
  readonly protocols?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A driver made of a WebSocket and frames, which does what a test says and nothing else. */
export async function bareDriver(relay: string, options: BareDriverOptions = {}) {
  const { token = "anna", protocols = ["hoody-tunnel.v2"], headers = {} } = options;
  const ws = new WebSocket(`${relay.replace(/^http/, "ws")}/api/v1/tunnel/connect`, [...protocols], {
    headers: { ...(token !== "" && { "x-runner-token": token }), ...headers },
    perMessageDeflate: false,
  });
  const frames: Frame[] = [];
  const messages: ControlMessage[] = [];
  let closed: { readonly code: number; readonly reason: string } | undefined;
  let wake: () => void = () => {};
  const reader = new FrameReader(262_144, (frame) => {
    const message = frame.type === FrameType.CONTROL ? decodeControl(frame.payload) : undefined;
    if (message === undefined) frames.push({ ...frame, payload: frame.payload.slice() });
    else messages.push(message);
  });
  const changed = (): void => {
    wake();
  };
  ws.on("message", (data: Buffer) => {
    reader.push(data);
    changed();
  });
  ws.on("close", (code: number, reason: Buffer) => {
    closed = { code, reason: reason.toString() };
    changed();
  });
  ws.on("error", () => {});
  await soon(once(ws, "open"));

  async function until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await soon(new Promise<void>((resolve) => (wake = resolve)));
    }
  }
  const takeFirst = <T>(list: T[], matches: (item: T) => boolean): T | undefined => {
    const index = list.findIndex(matches);
    return index === -1 ? undefined : list.splice(index, 1)[0];
  };
  const frame = (type: FrameType, flags: number, streamId: number, payload: Uint8Array = new Uint8Array(0)): void =>
    ws.send(Buffer.concat([encodeFrameHeader(type, flags, streamId, payload.length), payload]));
  const send = (message: ControlMessage): void => frame(FrameType.CONTROL, 0, 0, encodeControl(message));
  const next = <T extends ControlMessage["t"]>(t: T): Promise<Extract<ControlMessage, { t: T }>> =>
    until(() => takeFirst(messages, (message) => message.t === t)) as Promise<Extract<ControlMessage, { t: T }>>;

  return {
    ws,
    frame,
    send,
    /** The next control message of a type, and the next frame of one. */
    next,
    nextFrame: (type: FrameType): Promise<Frame> => until(() => takeFirst(frames, (each) => each.type === type)),
    closed: () => until(() => closed),
    /** What has arrived so far and was not asked for. */
    messages,
    frames,
    async greet(hello: Partial<Hello> = {}) {
      send({ t: "HELLO", ...hello });
      return next("HELLO_OK");
    },
    async bind(fields: Readonly<Record<string, unknown>> = {}) {
      send({
        t: "BIND",
        req: 1,
        kind: "http",
        mode: "expose",
        containerPort: 0,
        host: "127.0.0.1",
        name: undefined,
        path: undefined,
        takeover: false,
        ...fields,
      });
      return until(() =>
        takeFirst(messages, (message) => message.t === "BIND_OK" || message.t === "BIND_ERR"),
      ) as Promise<Extract<ControlMessage, { t: "BIND_OK" | "BIND_ERR" }>>;
    },
    async [Symbol.asyncDispose]() {
      ws.terminate();
      await until(() => closed);
    },
  };
}

export type BareDriver = Awaited<ReturnType<typeof bareDriver>>;
