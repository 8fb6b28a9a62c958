import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { CloseCode, type HelloErrorCode } from "../../relay/codes";
import type { ControlMessage, Hello } from "../../relay/controlMessages";
import { subprotocols, type Subprotocol } from "../../relay/handshake";
import type { MuxLink } from "../../relay/muxLink";
import { MuxSession } from "../../relay/muxSession";
import { endSocket } from "./endSocket";
import { nodeClock } from "./nodeClock";
import { refusalBody } from "./refusal";
import { countStream, type RelayParts } from "./relayParts";
import { fullRights, type DriverRights } from "./driverRights";
import type { RelaySession, SessionOwner } from "./relaySession";
import { wsLink, type WsUpgrader } from "./wsLink";

/** Whether a request may connect, and as whom. */
export type ConnectVerdict =
  | { readonly principal: string; readonly rights?: DriverRights | undefined }
  | { readonly status: number; readonly code: string };

export interface ConnectOptions {
  readonly parts: RelayParts;
  readonly upgrader: WsUpgrader;
  readonly admit: (req: IncomingMessage) => Promise<ConnectVerdict>;
}

/** Where drivers connect: upgrade, greeting, and the links of sessions. */
export class ConnectEndpoint {
  readonly #options: ConnectOptions;
  #preAuth = 0;
  #isStopped = false;

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  /** The relay stops: drivers are told to come back later. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Answers an upgrade request. Never rejects. */
  async accept(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { parts, admit, upgrader } = this.#options;
    socket.on("error", () => socket.destroy());
    if (this.#preAuth >= parts.config.maxPreAuthConnections) {
      parts.counters.preAuthRejected += 1;
      return void socket.destroy();
    }
    const release = this.#hold(socket);
    try {
      if (parts.connections.admit(req.socket, undefined) !== undefined) return refuse(socket, 503, "CAPACITY");
      if (this.#isStopped) return refuse(socket, 503, "GOING_AWAY");
      const protocol = chooseProtocol(req);
      if (protocol === undefined) return refuse(socket, 400, "BAD_REQUEST");
      if (headBytesOf(req) > parts.config.connectHeadBytes) return refuse(socket, 431, "HEADERS_TOO_LARGE");
      const verdict = await admit(req);
      if ("status" in verdict) return refuse(socket, verdict.status, verdict.code);
      const { principal, rights = fullRights } = verdict;
      if (!rights.permitsAny) return refuse(socket, 403, "POLICY");
      if (socket.destroyed) return;
      const ws = await upgrader.upgrade(req, socket, head, protocol);
      const { remoteAddress = "", remotePort = 0 } = req.socket;
      const owner = { principal, rights, peerAddr: `${remoteAddress}:${remotePort}`, protocol };
      this.#greet(owner, (events) => wsLink(ws, socket, events), release);
    } catch {
      socket.destroy();
    }
  }

  /** Takes one of the places for connections that have not greeted. @returns what gives it back */
  #hold(socket: Duplex): () => void {
    this.#preAuth += 1;
    let isHeld = true;
    const release = (): void => {
      if (isHeld) this.#preAuth -= 1;
      isHeld = false;
    };
    socket.once("close", release);
    return release;
  }

  #greet(
    owner: SessionOwner,
    connect: (events: Parameters<typeof wsLink>[2]) => ReturnType<typeof wsLink>,
    release: () => void,
  ): void {
    const { sessions, config, counters } = this.#options.parts;
    let session: RelaySession | undefined;
    // Secondary links join the multiplexer of their session; until the greeting says so, each has its own.
    let mux = new MuxSession({
      role: "relay",
      clock: nodeClock,
      settings: config.session,
      handler: {
        onControl: (message, from) => onControl(message, from),
        onFailed: () => onGone(),
        onRetired: () => onGone(),
        onStreamClosed(stream, resetCode) {
          countStream(counters, stream, resetCode);
          session?.touch();
        },
      },
    });
    const own = mux;
    const late = nodeClock.after(config.helloTimeoutMs, () => own.close());
    const onGone = (): void => {
      late();
      release();
      session?.linkLost(mux, link);
    };
    const refuseHello = (code: HelloErrorCode): void => {
      own.send({ t: "HELLO_ERR", code });
      own.close(CloseCode.PROTOCOL_ERROR, code);
    };
    const onHello = (hello: Hello): void => {
      late();
      if (hello.shard !== undefined) {
        const wanted = sessions.get(hello.shard.sessionId);
        const joined = wanted?.joinShard(link, hello.shard, owner.principal) ?? "AUTH";
        if (typeof joined === "string") return refuseHello(joined);
        session = wanted;
        mux = joined;
        return release();
      }
      const outcome = sessions.greet(hello, own, owner);
      if (typeof outcome === "string") return refuseHello(outcome);
      if (hello.resume !== undefined)
        counters.resumes[outcome.id === hello.resume.sessionId ? "resumed" : "unknown"] += 1;
      session = outcome;
      release();
    };
    const onControl = (message: ControlMessage, from: MuxLink): void => {
      if (session !== undefined) session.receive(message, from);
      else if (message.t === "HELLO") onHello(message);
      else own.close(CloseCode.PROTOCOL_ERROR, "The first message must be HELLO.");
    };
    const link: MuxLink = own.attach(
      connect({
        onBytes: (bytes) => link.receive(bytes),
        onDrain: () => link.drained(),
        onClose(code) {
          // A driver that closes its session needs no grace, whereas one that was cut off does.
          if (code === CloseCode.NORMAL && mux.links[0] === link) session?.end("SHUTDOWN", CloseCode.NORMAL);
          onGone();
        },
      }),
    );
  }
}

/** The newest subprotocol that both sides speak. */
function chooseProtocol({ method, headers }: IncomingMessage): Subprotocol | undefined {
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  if (method !== "GET" || headers.upgrade?.toLowerCase() !== "websocket") return undefined;
  return subprotocols.find((protocol) => offered.includes(protocol));
}

const headBytesOf = ({ rawHeaders, url = "" }: IncomingMessage): number =>
  rawHeaders.reduce((sum, text) => sum + text.length + 2, url.length);

function refuse(socket: Duplex, status: number, code: string): void {
  const body = refusalBody(code);
  endSocket(
    socket,
    `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
