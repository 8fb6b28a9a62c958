import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket as WsSocket, WebSocketServer as WsServer } from "ws";
import { CloseCode } from "../../relay/codes";
import type { Link } from "../../relay/link";
import { createCollectionPace } from "./collectionPace";
import { DialRefusedError } from "./dialRefusedError";

type WsModule = typeof import("ws");

/** Largest message that is accepted, in bytes: senders keep to half of it. */
const maxMessageBytes = 1_048_576;

/** Of every link; `closeTimeout` is how long a peer may take to close in turn, in ms: a process that ends waits for it. */
const linkOptions = {
  perMessageDeflate: false,
  maxPayload: maxMessageBytes,
  skipUTF8Validation: true,
  closeTimeout: 5_000,
} as const;

// eslint-disable-next-line no-restricted-syntax -- the module, loaded when it is first needed; listed in ARCHITECTURE.md
let loading: Promise<WsModule> | undefined;
const loadWs = (): Promise<WsModule> => (loading ??= import("ws"));

/** What a link reports of its connection. */
export interface LinkEvents {
  onBytes(bytes: Uint8Array): void;
  /** The connection took what was queued. */
  onDrain(): void;
  /** Called once. @param code 1006 for a connection that was cut */
  onClose(code: number, reason: string): void;
}

/** How often a link whose socket is not given looks whether it was taken, in ms. */
const drainPollMs = 2;

/**
 * A WebSocket as a link: binary messages only.
 *
 * @param socket what the WebSocket writes to; Bun, which puts a WebSocket of its own in the place of `ws`, gives none
 */
export function wsLink(ws: WsSocket, socket: Duplex | null | undefined, events: LinkEvents): Link {
  const paceCollections = createCollectionPace();
  let polling: NodeJS.Timeout | undefined;
  const poll = (): void => {
    if (ws.bufferedAmount > 0 || polling === undefined) return;
    clearInterval(polling);
    polling = undefined;
    events.onDrain();
  };
  ws.binaryType = "nodebuffer";
  ws.on("message", (data: Buffer, isBinary: boolean) => {
    paceCollections(data.length);
    if (isBinary) events.onBytes(data);
    else ws.close(CloseCode.TEXT_MESSAGE, "Binary messages only.");
  });
  socket?.on("drain", () => events.onDrain());
  // A failing connection closes as well.
  ws.on("error", () => {});
  ws.on("close", (code: number, reason: Buffer) => {
    clearInterval(polling);
    events.onClose(code, reason.toString());
  });
  return {
    send(pieces) {
      if (ws.readyState !== ws.OPEN) return;
      // One system call for all messages.
      socket?.cork();
      for (const message of messagesOf(pieces)) {
        ws.send(message);
        paceCollections(message.length);
      }
      socket?.uncork();
      if (!socket && ws.bufferedAmount > 0) polling ??= setInterval(poll, drainPollMs);
    },
    get queuedBytes() {
      return ws.bufferedAmount;
    },
    close: (code, reason) => ws.close(code, reason),
    destroy: () => ws.terminate(),
  };
}

/** A piece of this size is sent as it is, in bytes: to copy it costs more than a message of its own. */
const ownMessageBytes = 16_384;

/** Small pieces together, large ones each by itself: where messages begin and end means nothing to the receiver. */
function messagesOf(pieces: readonly Uint8Array[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const endSmall = (): void => {
    if (small.length > 0) messages.push(small.length === 1 ? (small[0] as Uint8Array) : Buffer.concat(small));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < ownMessageBytes) small.push(piece);
    else {
      endSmall();
      messages.push(piece);
    }
  }
  endSmall();
  return messages;
}

/** Turns upgrade requests into WebSockets. */
export interface WsUpgrader {
  /** Answers 101 with the subprotocol. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, protocol: string): Promise<WsSocket>;
}

export async function createWsUpgrader(): Promise<WsUpgrader> {
  const { WebSocketServer } = await loadWs();
  const server: WsServer = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    ...linkOptions,
    handleProtocols: (_protocols, req) => chosen.get(req) ?? false,
  });
  const chosen = new WeakMap<IncomingMessage, string>();
  return {
    upgrade: (req, socket, head, protocol) =>
      new Promise((resolve, reject) => {
        chosen.set(req, protocol);
        socket.once("error", reject);
        socket.once("close", () => reject(new Error("The connection was lost during the upgrade.")));
        server.handleUpgrade(req, socket, head, (ws) => {
          socket.off("error", reject);
          resolve(ws);
        });
      }),
  };
}

/** How a driver dials its relay. */
export interface DialOptions {
  /** `ws:` or `wss:`. */
  readonly url: string;
  readonly protocols: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A connection that is open. */
export interface Dialled {
  readonly protocol: string;
  readonly connect: (events: LinkEvents) => Link;
}

/** @throws {DialRefusedError} the relay answered with another status than 101 */
export async function dial({ url, protocols, headers, timeoutMs, signal }: DialOptions): Promise<Dialled> {
  const { WebSocket } = await loadWs();
  signal.throwIfAborted();
  const ws = new WebSocket(url, [...protocols], {
    headers,
    handshakeTimeout: timeoutMs,
    ...linkOptions,
    followRedirects: false,
    ...(masksNothing(url) && { generateMask: () => {} }),
  });
  let socket: Duplex | null | undefined;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
      ws.terminate();
    };
    signal.addEventListener("abort", abort, { once: true });
    const settled = (): void => signal.removeEventListener("abort", abort);
    ws.once("upgrade", (response) => (socket = response.socket));
    ws.once("unexpected-response", (upgrade, response) => {
      settled();
      readRefusal(response, (text) => {
        reject(new DialRefusedError(response.statusCode ?? 0, withoutCredentials(text, headers)));
        upgrade.destroy();
      });
    });
    // Terminating a socket that connects is an error as well; the first rejection counts.
    ws.on("error", (error) => {
      settled();
      reject(error);
    });
    ws.once("open", () => {
      settled();
      resolve({ protocol: ws.protocol, connect: (events) => wsLink(ws, socket, events) });
    });
  });
}

/** RFC 6455 section 10.3: masks protect proxies on the way, of which an encrypted or local connection has none. */
function masksNothing(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return (
    protocol === "wss:" || hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

/** Some servers answer with what they were sent, and messages with their answers are printed and logged. */
function withoutCredentials(answer: string, headers: Readonly<Record<string, string>>): string {
  const values = Object.values(headers).filter((value) => value !== "");
  return values.reduce((text, value) => text.replaceAll(value, "***"), answer);
}

const maxRefusalBytes = 4_096;

function readRefusal(response: IncomingMessage, done: (text: string) => void): void {
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    if (text.length < maxRefusalBytes) text += chunk;
  });
  response.once("close", () => done(text.slice(0, maxRefusalBytes)));
  response.on("error", () => {});
}
