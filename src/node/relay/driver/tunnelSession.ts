import { EventEmitter, setMaxListeners } from "node:events";
import { CloseCode, ResetCode } from "../../../relay/codes";
import type { ControlMessage, GoAway, HelloOk } from "../../../relay/controlMessages";
import type { MuxLink } from "../../../relay/muxLink";
import type { MuxSession } from "../../../relay/muxSession";
import type { MuxStream } from "../../../relay/muxStream";
import type { StreamOpening } from "../../../relay/sessionContract";
import { DialRefusedError } from "../dialRefusedError";
import { Backoff } from "./backoff";
import { DriverBindings, type BindRequest, type BoundFacts } from "./driverBindings";
import { TunnelRefusedError } from "./driverErrors";
import type { RelayAddress } from "./greet";
import { waitForNetwork } from "./networkChange";

export type { BindRequest, BoundFacts } from "./driverBindings";

/** Where a driver connects, as whom, and how. */
export interface TunnelSessionOptions extends RelayAddress {
  /** Ends the session. */
  readonly signal?: AbortSignal | undefined;
  /** Attempts to connect before the session ends. Default: no limit. */
  readonly maxAttempts?: number | undefined;
  /** Shown to operators, as `{ "host": "anna-mbp" }`. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
  /** Connections that visitors are spread over, each visitor on one of them; the relay may grant fewer. Default 1. */
  readonly connections?: number | undefined;
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
  /** The relay answered a PING: the round trip, in ms, which `rttMs` has as well. */
  rtt: [facts: { readonly rttMs: number }];
  /** A visitor was given a stream. */
  stream: [facts: { readonly bindId: number }];
}

/**
 * A driver's session with a relay: any number of bindings over one connection, which is made again for ever.
 *
 * The first refusal of credentials rejects `ready()`; everything else, and later refusals, are retried with jitter.
 */
export class TunnelSession extends EventEmitter<TunnelSessionEvents> implements AsyncDisposable {
  readonly #options: TunnelSessionOptions;
  readonly #stopped = new AbortController();
  readonly #backoff = new Backoff();
  readonly #bindings = new DriverBindings({
    onBound: (facts) => void this.emit("bound", facts),
    onRevoked: (facts) => void this.emit("bindRevoked", facts),
  });
  readonly #ready: Promise<void>;
  readonly #running: Promise<void>;
  #resolveReady: () => void = () => {};
  #rejectReady: (error: unknown) => void = () => {};
  #mux: MuxSession | undefined;
  #hello: HelloOk | undefined;
  #state: TunnelSessionState = "connecting";
  /** Aborted when the primary link is lost. */
  #linked = new AbortController();
  #totalStreams = 0;
  #mayReconnect = true;

  constructor(options: TunnelSessionOptions) {
    super();
    const { connections = 1 } = options;
    if (!Number.isSafeInteger(connections) || connections < 1) {
      throw new TypeError(`connections must be a whole number of at least 1, got ${String(connections)}.`);
    }
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

  /** Measures the round trip: `rtt` tells it once the relay has answered. */
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
    const binding = await this.#bindings.bind(request);
    return {
      get bindId() {
        return binding.facts.bindId;
      },
      get containerPort() {
        return binding.facts.containerPort;
      },
      get publicUrl() {
        return binding.facts.publicUrl;
      },
      unbind: () => binding.unbind(),
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
        wasConnected = true;
        this.#resolveReady();
        await lost;
      } catch (error) {
        failures += 1;
        failure = error as Error;
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
      if (await waitForNetwork(delayMs, this.#stopped.signal)) this.#backoff.reset();
    }
    this.#rejectReady(new Error("The session was closed before it was connected."));
    this.#bindings.end(new Error("The session has ended."));
    this.#options.signal?.removeEventListener("abort", this.#stop);
    this.#setState("closed");
  }

  /** Resolves once greeted. @returns what resolves when the connection is gone; in a record, so that it is not awaited */
  async #connect(): Promise<{ readonly lost: Promise<void> }> {
    const { meta, connections = 1 } = this.#options;
    const { greet, keepShards, ownSettings, readAgreement } = await import("./links");
    const before = this.#hello;
    let onLost: () => void = () => {};
    const lost = new Promise<void>((resolve) => (onLost = resolve));
    const hello = await greet({
      address: this.#options,
      hello: (protocol) => ({
        t: "HELLO",
        v: protocol === "hoody-tunnel.v2" ? 2 : 1,
        agent: `runner-tunnel/1.0 node/${process.versions.node}`,
        maxStreams: ownSettings.maxStreams,
        maxFrame: ownSettings.maxFrameBytes,
        window: ownSettings.windowBytes,
        features: ["http-frames", "autotune"],
        connections,
        resume: before && { sessionId: before.sessionId, token: before.resumeToken },
        meta,
      }),
      handler: {
        onControl: (message, link) => this.#receive(message, link),
        onMeasured: (link) => this.#measured(link),
        onStream: (stream, opening) => {
          const { bindId } = opening.kind === "tcp" ? opening.open : opening.head;
          this.#openStream(bindId, stream, opening);
        },
      },
      onGreeted: (answer, mux) => {
        mux.agree(readAgreement(answer, ownSettings));
        this.#hello = answer;
        this.#mux = mux;
        this.#linked = new AbortController();
        // Each secondary connection waits for it.
        setMaxListeners(0, this.#linked.signal);
      },
      onLost: (mux) => {
        this.#linkLost(mux);
        onLost();
      },
      signal: this.#stopped.signal,
    });
    // It may have been lost meanwhile.
    const mux = this.#mux;
    if (mux === undefined) return { lost };
    this.#backoff.reset();
    mux.links[0]?.ping();
    this.#setState("connected");
    if (before !== undefined) this.emit("resumed", { resumed: hello.resumed, sessionId: hello.sessionId });
    const count = Math.min(connections, hello.connections) - 1;
    keepShards({ address: this.#options, hello, mux, count, signal: this.#linked.signal });
    void this.#bindings.connected(mux, hello);
    return { lost };
  }

  #linkLost(mux: MuxSession): void {
    if (this.#mux !== mux) return;
    this.#mux = undefined;
    this.#linked.abort();
    this.#bindings.disconnected();
    if (this.#mayReconnect && !this.#stopped.signal.aborted) this.#setState("reconnecting");
  }

  #receive(message: ControlMessage, link: MuxLink): void {
    if (message.t !== "GOAWAY") return this.#bindings.receive(message);
    // Of a secondary link, only that link ends.
    if (link !== this.#mux?.links[0]) return;
    if (!message.reconnect) this.#mayReconnect = false;
    this.emit("goaway", message);
  }

  #measured(link: MuxLink): void {
    const { rttMs } = this;
    if (rttMs !== undefined && link === this.#mux?.links[0]) this.emit("rtt", { rttMs });
  }

  #openStream(bindId: number, stream: MuxStream, opening: StreamOpening): void {
    const target = this.#bindings.targetOf(bindId);
    if (target === undefined) return stream.reset(ResetCode.REFUSED, "Nothing is bound here.");
    this.#totalStreams += 1;
    this.emit("stream", { bindId });
    target.open(stream, opening);
  }

  #setState(state: TunnelSessionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.emit("state", state);
  }
}
