import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { CloseCode, ResetCode } from "../../../relay/codes";
import type { BindKind, BindMode, ControlMessage, GoAway, HelloOk } from "../../../relay/controlMessages";
import { decodeRequestHead } from "../../../relay/framePayloads";
import { readAgreement, subprotocols } from "../../../relay/handshake";
import type { MuxLink } from "../../../relay/muxLink";
import { MuxSession, type SessionSettings, type StreamOpening } from "../../../relay/muxSession";
import type { MuxStream } from "../../../relay/muxStream";
import { nodeClock } from "../nodeClock";
import { dial, DialRefusedError } from "../wsLink";
import { Backoff } from "./backoff";
import { TunnelBindError, TunnelRefusedError } from "./driverErrors";
import type { StreamTarget } from "./streamTarget";

/** Where a driver connects, and as whom. */
export interface TunnelSessionOptions {
  /** URL of the relay: `http:`, `https:`, `ws:` or `wss:`; the path of the protocol is added. */
  readonly relay: string;
  /** Sent as `x-runner-token`. */
  readonly token?: string | undefined;
  /** Further headers, for validators of the relay. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Ends the session. */
  readonly signal?: AbortSignal | undefined;
  /** Attempts to connect before the session ends. Default: no limit. */
  readonly maxAttempts?: number | undefined;
  /** Shown to operators, as `{ "host": "anna-mbp" }`. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** What a session is doing: `closed` is for good. */
export type TunnelSessionState = "connecting" | "connected" | "reconnecting" | "closed";

/** Events of a session, and what they bring. */
export interface TunnelSessionEvents {
  state: [state: TunnelSessionState];
  /** Connected again; whether the relay still had the session. */
  resumed: [facts: { readonly resumed: boolean; readonly sessionId: string }];
  goaway: [facts: Pick<GoAway, "code" | "message" | "reconnect">];
  /** Bound anew after a reconnection, since the relay no longer had the session. */
  bound: [facts: BoundFacts];
  bindRevoked: [facts: { readonly bindId: number; readonly code: string }];
  /** Not connected; the next attempt follows after `delayMs`. `error` is missing where a connection was lost. */
  retry: [facts: { readonly error: Error | undefined; readonly delayMs: number }];
  /** A visitor was given a stream. */
  stream: [facts: { readonly bindId: number }];
}

/** What is to be bound. */
export interface BindRequest {
  readonly kind: BindKind;
  readonly mode: BindMode;
  /** 0 for any. */
  readonly containerPort: number;
  readonly host?: string | undefined;
  readonly name?: string | undefined;
  readonly takeover?: boolean | undefined;
  readonly target: StreamTarget;
}

/** What the relay has bound. */
export interface BoundFacts {
  readonly bindId: number;
  readonly containerPort: number;
  readonly publicUrl: string | null;
}

interface Binding extends BindRequest {
  bound: BoundFacts | undefined;
}

type Reply = Extract<ControlMessage, { t: "BIND_OK" | "BIND_ERR" | "UNBIND_OK" }>;

/** What a driver allows its relay; sizes in bytes. It is stricter about silence than the relay: it can reconnect. */
const ownSettings: SessionSettings = {
  maxFrameBytes: 65_536,
  maxStreams: 1_000,
  windowBytes: 262_144,
  maxWindowBytes: 8_388_608,
  sessionBufferBytes: 67_108_864,
  pingMs: 10_000,
  deadMs: 20_000,
};
const helloTimeoutMs = 10_000;

/**
 * A driver's session with a relay: any number of bindings over one connection, which is made again for ever.
 *
 * The first refusal of credentials rejects `ready()`; everything else, and later refusals, are retried with jitter.
 */
export class TunnelSession extends EventEmitter<TunnelSessionEvents> implements AsyncDisposable {
  readonly #options: TunnelSessionOptions;
  readonly #stopped = new AbortController();
  readonly #backoff = new Backoff();
  readonly #bindings = new Set<Binding>();
  readonly #replies = new Map<number, (reply: Reply | Error) => void>();
  readonly #ready: Promise<void>;
  readonly #running: Promise<void>;
  #resolveReady: () => void = () => {};
  #rejectReady: (error: unknown) => void = () => {};
  #mux: MuxSession | undefined;
  #hello: HelloOk | undefined;
  #state: TunnelSessionState = "connecting";
  #nextReq = 1;
  #totalStreams = 0;
  #mayReconnect = true;

  constructor(options: TunnelSessionOptions) {
    super();
    this.#options = options;
    this.#ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // It may be asked for later, or never.
    this.#ready.catch(() => {});
    options.signal?.addEventListener("abort", this.#stop, { once: true });
    if (options.signal?.aborted) this.#stop();
    this.#running = this.#run();
  }

  get state(): TunnelSessionState {
    return this.#state;
  }

  /** As the relay's operators see it; `undefined` until it is connected. */
  get sessionId(): string | undefined {
    return this.#hello?.sessionId;
  }

  /** Latest round trip to the relay, in ms. */
  get rttMs(): number | undefined {
    return this.#mux?.links[0]?.rttMs;
  }

  get activeStreams(): number {
    return this.#mux?.activeStreams ?? 0;
  }

  /** Visitors served since the session began, over all its connections. */
  get totalStreams(): number {
    return this.#totalStreams;
  }

  /** Measures the round trip: `rttMs` has it once the relay has answered. */
  ping(): void {
    this.#mux?.links[0]?.ping();
  }

  /** Resolves once connected. @throws {TunnelRefusedError} the relay refused the credentials */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Resolves when the session is over. */
  ended(): Promise<void> {
    return this.#running;
  }

  /**
   * Binds, and binds again after every reconnection.
   *
   * @throws {TunnelBindError} the relay refused it
   */
  async bind(request: BindRequest): Promise<BoundFacts & { readonly unbind: () => Promise<void> }> {
    await this.#ready;
    const binding: Binding = { ...request, bound: undefined };
    this.#bindings.add(binding);
    while (binding.bound === undefined) {
      try {
        await this.#connected();
        binding.bound = await this.#sendBind(binding);
      } catch (error) {
        // A link that was lost meanwhile says nothing about the binding.
        if (error instanceof LinkLostError) continue;
        this.#bindings.delete(binding);
        throw error;
      }
    }
    const current = (): BoundFacts => binding.bound as BoundFacts;
    return {
      get bindId() {
        return current().bindId;
      },
      get containerPort() {
        return current().containerPort;
      },
      get publicUrl() {
        return current().publicUrl;
      },
      unbind: () => this.#unbind(binding),
    };
  }

  /** Says goodbye, so that the relay drops the bindings at once. */
  async close(): Promise<void> {
    this.#stop();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #stop = (): void => {
    this.#mayReconnect = false;
    this.#mux?.goAway("SHUTDOWN", { reconnect: false });
    this.#mux?.close(CloseCode.NORMAL, "The driver ends.");
    this.#stopped.abort();
  };

  async #run(): Promise<void> {
    const { maxAttempts = Infinity } = this.#options;
    let wasConnected = false;
    for (let failures = 0; !this.#stopped.signal.aborted && this.#mayReconnect;) {
      let failure: Error | undefined;
      try {
        const { lost } = await this.#connect();
        failures = 0;
        if (wasConnected) await this.#rebind();
        wasConnected = true;
        this.#resolveReady();
        await lost;
      } catch (error) {
        failures += 1;
        failure = error as Error;
        // Bindings may have failed over a connection that is still there.
        if (this.#mux !== undefined) this.#cut(this.#mux);
        const isRefused = error instanceof DialRefusedError && (error.status === 401 || error.status === 403);
        if (!wasConnected && isRefused) {
          this.#rejectReady(new TunnelRefusedError(error.status, error.answer));
          break;
        }
        if (failures >= maxAttempts) {
          this.#rejectReady(error);
          break;
        }
      }
      if (this.#stopped.signal.aborted || !this.#mayReconnect) break;
      const delayMs = this.#backoff.next();
      this.emit("retry", { error: failure, delayMs });
      await delay(delayMs, undefined, { signal: this.#stopped.signal, ref: true }).catch(() => {});
    }
    this.#rejectReady(new Error("The session was closed before it was connected."));
    for (const { target } of this.#bindings) target.close();
    this.#options.signal?.removeEventListener("abort", this.#stop);
    this.#setState("closed");
  }

  /** Resolves once greeted. @returns what resolves when the connection is gone; in a record, so that it is not awaited */
  async #connect(): Promise<{ readonly lost: Promise<void> }> {
    const { relay, token, headers, meta } = this.#options;
    const dialled = await dial({
      url: connectUrlOf(relay),
      protocols: subprotocols,
      headers: { ...headers, ...(token !== undefined && { "x-runner-token": token }) },
      timeoutMs: helloTimeoutMs,
      signal: this.#stopped.signal,
    });
    let onLost: () => void = () => {};
    const lost = new Promise<void>((resolve) => (onLost = resolve));
    let onHello: (message: ControlMessage) => void = () => {};
    const greeted = new Promise<ControlMessage>((resolve) => (onHello = resolve));
    // Sizes are agreed on in the greeting, before the first stream.
    const session = new MuxSession({
      role: "driver",
      clock: nodeClock,
      settings: ownSettings,
      handler: {
        onControl: (message) =>
          message.t === "HELLO_OK" || message.t === "HELLO_ERR" ? onHello(message) : this.#receive(message),
        onStream: (stream, opening) => this.#openStream(stream, opening),
        onFailed: () => {
          this.#linkLost(session);
          onLost();
        },
      },
    });
    const link: MuxLink = session.attach(
      dialled.connect({
        onBytes: (bytes) => link.receive(bytes),
        onDrain: () => link.drained(),
        onClose: () => {
          session.linkLost(link);
          this.#linkLost(session);
          onLost();
        },
      }),
    );
    session.send({
      t: "HELLO",
      v: dialled.protocol === "hoody-tunnel.v2" ? 2 : 1,
      agent: `runner-tunnel/1.0 node/${process.versions.node}`,
      maxStreams: ownSettings.maxStreams,
      maxFrame: ownSettings.maxFrameBytes,
      window: ownSettings.windowBytes,
      features: ["http-frames", "autotune"],
      resume: this.#hello && { sessionId: this.#hello.sessionId, token: this.#hello.resumeToken },
      meta,
    });
    const { signal } = this.#stopped;
    const late = delay(helloTimeoutMs, undefined, { ref: false, signal }).catch(() => {});
    const hello = await Promise.race([greeted, lost, late]);
    if (signal.aborted || hello === undefined || hello.t !== "HELLO_OK") {
      session.close(CloseCode.PROTOCOL_ERROR, "No greeting.");
      throw new Error(
        hello?.t === "HELLO_ERR" ? `The relay refused the session: ${hello.code}.` : "The relay did not greet.",
      );
    }
    session.agree(readAgreement(hello, ownSettings));
    const before = this.#hello;
    this.#hello = hello;
    this.#mux = session;
    this.#backoff.reset();
    // The first sign of life could be 10 seconds away, and the windows of streams grow by what it tells.
    link.ping();
    this.#setState("connected");
    if (before !== undefined) this.emit("resumed", { resumed: hello.resumed, sessionId: hello.sessionId });
    return { lost };
  }

  #cut(session: MuxSession): void {
    session.close(CloseCode.GOING_AWAY, "The driver connects again.");
    this.#linkLost(session);
  }

  #linkLost(session: MuxSession): void {
    if (this.#mux !== session) return;
    this.#mux = undefined;
    if (this.#mayReconnect && !this.#stopped.signal.aborted) this.#setState("reconnecting");
    for (const settle of [...this.#replies.values()]) settle(new LinkLostError());
  }

  /** Resolves while there is a connection. */
  async #connected(): Promise<void> {
    while (this.#mux === undefined) {
      if (this.#state === "closed") throw new Error("The session has ended.");
      await once(this, "state");
    }
  }

  #receive(message: ControlMessage): void {
    switch (message.t) {
      case "BIND_OK":
      case "BIND_ERR":
      case "UNBIND_OK":
        return this.#replies.get(message.req)?.(message);
      case "BIND_REVOKED":
        for (const binding of this.#bindings) {
          // With credentials that hold again it is bound anew.
          if (binding.bound?.bindId === message.bindId && message.code !== "AUTH_EXPIRED") this.#forget(binding);
        }
        return void this.emit("bindRevoked", { bindId: message.bindId, code: message.code });
      case "GOAWAY":
        if (!message.reconnect) this.#mayReconnect = false;
        return void this.emit("goaway", message);
      default:
    }
  }

  #openStream(stream: MuxStream, opening: StreamOpening): void {
    const bindId = opening.kind === "tcp" ? opening.open.bindId : decodeRequestHead(opening.payload).bindId;
    const binding = [...this.#bindings].find(({ bound }) => bound?.bindId === bindId);
    if (binding === undefined) return stream.reset(ResetCode.REFUSED, "Nothing is bound here.");
    this.#totalStreams += 1;
    this.emit("stream", { bindId });
    binding.target.open(stream, opening);
  }

  async #rebind(): Promise<void> {
    const { resumed, bindings = [] } = this.#hello ?? {};
    for (const binding of this.#bindings) {
      const { bound } = binding;
      // Its caller binds it.
      if (bound === undefined) continue;
      if (resumed === true && bindings.some(({ bindId }) => bindId === bound.bindId)) continue;
      try {
        binding.bound = await this.#sendBind(binding);
        this.emit("bound", binding.bound);
      } catch (error) {
        if (!(error instanceof TunnelBindError) || error.retryable) throw error;
        this.emit("bindRevoked", { bindId: bound.bindId, code: error.code });
        this.#forget(binding);
      }
    }
  }

  async #sendBind({ kind, mode, containerPort, host, name, takeover = false, bound }: Binding): Promise<BoundFacts> {
    const reply = await this.#ask((req) => ({
      t: "BIND",
      req,
      kind,
      mode,
      // A port that was given by the relay is asked for again.
      containerPort: containerPort === 0 ? (bound?.containerPort ?? 0) : containerPort,
      host: host ?? "127.0.0.1",
      name,
      path: undefined,
      takeover,
    }));
    if (reply.t === "BIND_OK") {
      return { bindId: reply.bindId, containerPort: reply.containerPort, publicUrl: reply.publicUrl };
    }
    const { code, message, retryable } = reply as Extract<Reply, { t: "BIND_ERR" }>;
    throw new TunnelBindError(code, message, retryable);
  }

  async #unbind(binding: Binding): Promise<void> {
    const bindId = binding.bound?.bindId;
    if (!this.#bindings.has(binding)) return;
    this.#forget(binding);
    if (bindId === undefined || this.#state !== "connected") return;
    await this.#ask((req) => ({ t: "UNBIND", req, bindId })).catch(() => {});
  }

  #forget(binding: Binding): void {
    this.#bindings.delete(binding);
    binding.target.close();
  }

  #ask(make: (req: number) => ControlMessage): Promise<Reply> {
    const req = this.#nextReq++;
    return new Promise((resolve, reject) => {
      if (this.#mux === undefined) return reject(new LinkLostError());
      this.#replies.set(req, (reply) => {
        this.#replies.delete(req);
        if (reply instanceof Error) reject(reply);
        else resolve(reply);
      });
      this.#mux.send(make(req));
    });
  }

  #setState(state: TunnelSessionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.emit("state", state);
  }
}

/** What was asked of the relay is answered over another link, or not at all. */
class LinkLostError extends Error {
  override readonly name = "LinkLostError";
  override readonly message = "The link was lost.";
}

/** @throws {TypeError} it is no URL of a relay */
function connectUrlOf(relay: string): string {
  if (!URL.canParse(relay))
    throw new TypeError(`relay must be a URL such as "https://relay.example.com", got "${relay}".`);
  const url = new URL(relay);
  if (!["http:", "https:", "ws:", "wss:"].includes(url.protocol)) {
    throw new TypeError(`relay must be an http or https URL, got "${url.protocol}".`);
  }
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
  url.pathname = `${url.pathname.replace(/\/$/, "")}/api/v1/tunnel/connect`;
  return url.href;
}
