import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { CloseCode, type BindErrorCode, type GoAwayCode } from "../../relay/codes";
import type { Bind, ControlMessage, HelloOk } from "../../relay/controlMessages";
import type { Negotiated, Subprotocol } from "../../relay/handshake";
import type { MuxLink } from "../../relay/muxLink";
import type { MuxSession } from "../../relay/muxSession";
import { SessionLife } from "../../relay/sessionLife";
import type { Binding, BindingSession, BindingTable } from "./bindings";
import type { ResolvedRelayConfig } from "./config";
import { nodeClock } from "./nodeClock";

/** What the sessions of a relay share. */
export interface RelaySessionHost {
  readonly config: ResolvedRelayConfig;
  readonly bindings: BindingTable;
  onEnded(session: RelaySession): void;
}

/** Who opened a session. */
export interface SessionOwner {
  /** Name of the caller. */
  readonly principal: string;
  readonly peerAddr: string;
  readonly protocol: Subprotocol;
}

const digest = (token: string): Buffer => createHash("sha256").update(token).digest();
const isSame = (token: string, expected: Buffer): boolean => timingSafeEqual(digest(token), expected);

/** One driver at the relay, over all the links it has had. */
export class RelaySession implements BindingSession {
  readonly id = `ts_${randomBytes(12).toString("hex")}`;
  readonly bindings = new Map<number, Binding>();
  readonly #host: RelaySessionHost;
  readonly #life: SessionLife;
  #owner: SessionOwner;
  #mux: MuxSession | undefined;
  #resumeToken = digest("");
  #shardToken = digest("");
  #connections = 1;
  #isKilled = false;
  #maxStreams = 0;
  /** Streams of links that are gone. */
  #openedBefore = 0;

  constructor(owner: SessionOwner, host: RelaySessionHost) {
    const { graceMs } = host.config.session;
    this.#owner = owner;
    this.#host = host;
    this.#life = new SessionLife({
      clock: nodeClock,
      graceMs,
      idleMs: host.config.idleMs,
      isIdle: () => this.bindings.size === 0 && this.activeStreams === 0,
      onExpired: () => this.#drop(),
      onIdle: () => this.end("IDLE", CloseCode.NORMAL),
    });
  }

  get owner(): SessionOwner {
    return this.#owner;
  }

  /** Whether its driver may come back. */
  get isResumable(): boolean {
    return !this.#isKilled && this.#life.state !== "ended";
  }

  get mayBind(): boolean {
    return !this.#isKilled && this.isAttached;
  }

  get isAttached(): boolean {
    return this.#life.state === "attached";
  }

  /** The multiplexer, while the driver is connected. */
  get mux(): MuxSession | undefined {
    return this.isAttached ? this.#mux : undefined;
  }

  get activeStreams(): number {
    return this.#mux?.activeStreams ?? 0;
  }

  /** Visitors at a time, as agreed on. */
  get maxStreams(): number {
    return this.#maxStreams;
  }

  /** Visitors' streams since the session began. */
  get openedTotal(): number {
    return this.#openedBefore + (this.#mux?.openedTotal ?? 0);
  }

  isResumeToken(token: string | undefined): boolean | undefined {
    return token === undefined ? undefined : isSame(token, this.#resumeToken);
  }

  /** Whether a secondary link may join. */
  acceptsShard(token: string): boolean {
    return isSame(token, this.#shardToken) && this.isAttached && (this.#mux?.links.length ?? 0) < this.#connections;
  }

  /** A driver has greeted, for the first time or again; of two links, the new one counts. */
  attach(mux: MuxSession, owner: SessionOwner, { settings, features, connections }: Negotiated): void {
    const before = this.#mux;
    if (this.isAttached && this.#mux !== undefined) {
      const superseded = this.#mux;
      this.#openedBefore += superseded.openedTotal;
      this.#mux = undefined;
      superseded.goAway("SUPERSEDED", { reconnect: false });
      superseded.close(CloseCode.SUPERSEDED, "Another link took over.");
    }
    this.#life.resume();
    this.#owner = owner;
    this.#mux = mux;
    this.#connections = connections;
    this.#maxStreams = settings.maxStreams;
    mux.agree(settings, before?.nextFirstStreamId);
    const [resumeToken, shardToken] = [randomBytes(32).toString("base64url"), randomBytes(32).toString("base64url")];
    this.#resumeToken = digest(resumeToken);
    this.#shardToken = digest(shardToken);
    const { session } = this.#host.config;
    const hello: HelloOk = {
      t: "HELLO_OK",
      sessionId: this.id,
      resumeToken,
      resumed: before !== undefined,
      protocol: owner.protocol,
      maxStreams: settings.maxStreams,
      maxFrame: settings.maxFrameBytes,
      window: settings.windowBytes,
      maxWindow: settings.maxWindowBytes,
      features,
      pingMs: session.pingMs,
      deadMs: session.deadMs,
      graceMs: session.graceMs,
      connections,
      shardToken,
      bindings: [...this.bindings.values()].map(({ kind, mode, containerPort, bindId, name }) => ({
        kind,
        mode,
        containerPort,
        bindId,
        name,
      })),
      limits: { maxBindings: session.maxBindings, sessionBufferBytes: session.sessionBufferBytes },
    };
    mux.send(hello);
  }

  /** A message of a driver that has greeted. */
  receive(message: ControlMessage): void {
    switch (message.t) {
      case "BIND":
        return void this.#bind(message);
      case "UNBIND": {
        const binding = this.bindings.get(message.bindId);
        if (binding !== undefined) this.#host.bindings.drop(binding);
        this.#life.touch();
        return this.#mux?.send({ t: "UNBIND_OK", req: message.req });
      }
      case "GOAWAY":
        // A driver that says goodbye needs no grace.
        return this.end("SHUTDOWN", CloseCode.NORMAL);
      default:
    }
  }

  /** The connection of a link is gone. */
  linkLost(mux: MuxSession, link: MuxLink): void {
    const isLost = mux.isOver || mux.links[0] === link;
    mux.linkLost(link);
    if (isLost) this.#park(mux);
  }

  #park(mux: MuxSession): void {
    if (mux !== this.#mux || this.#life.state !== "attached") return;
    if (this.#isKilled) return this.#drop();
    this.#openedBefore += mux.openedTotal;
    for (const binding of [...this.bindings.values()]) {
      // A port without a driver must refuse, so that clients of TCP notice.
      if (binding.mode === "pull") this.#host.bindings.drop(binding);
    }
    this.#life.park();
  }

  /** As if its connections were lost: the driver may resume. */
  cutLinks(): void {
    const { mux } = this;
    if (mux === undefined) return;
    const primary = mux.links[0];
    mux.close();
    if (primary !== undefined) this.#park(mux);
  }

  /** Ends the session for good. */
  end(code: GoAwayCode, closeCode: CloseCode, message = ""): void {
    const mux = this.mux;
    // A relay that stops may be starting again.
    mux?.goAway(code, { message, reconnect: code === "SHUTDOWN" });
    mux?.close(closeCode, message);
    this.#drop();
  }

  /** Ends the session once its visitors are served, or after a while; it publishes nothing from now on. */
  kill(graceMs: number): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    for (const binding of [...this.bindings.values()]) this.#host.bindings.unpublish(binding);
    const { mux } = this;
    if (mux === undefined) return this.#drop();
    const message = "An operator ended the session.";
    mux.retire("ADMIN_KILL", CloseCode.ADMIN_KILL, { drainMs: graceMs, reconnect: false, message });
  }

  /** The relay stops, which the driver was told: it may come back to the next one. */
  leave(): void {
    this.#mux?.close(this.activeStreams === 0 ? CloseCode.DRAINED : CloseCode.GOING_AWAY, "The relay stops.");
    this.#drop();
  }

  /** Tells the driver that a binding is no longer its own. */
  revoke(binding: Binding, code: "TAKEOVER" | "ADMIN"): void {
    this.bindings.delete(binding.bindId);
    this.mux?.send({ t: "BIND_REVOKED", bindId: binding.bindId, code });
    this.#life.touch();
  }

  /** A visitor's stream has ended. */
  touch(): void {
    if (this.activeStreams === 0) this.#life.touch();
  }

  async #bind(request: Bind): Promise<void> {
    if (!this.mayBind) return;
    const mux = this.#mux;
    const outcome = await this.#host.bindings.bind(request, this);
    if (typeof outcome === "object" && "bindId" in outcome) {
      return mux?.send({
        t: "BIND_OK",
        req: request.req,
        bindId: outcome.bindId,
        containerPort: outcome.containerPort,
        publicUrl: outcome.publicUrl,
      });
    }
    const { code, message } = outcome;
    mux?.send({ t: "BIND_ERR", req: request.req, code, message, retryable: isRetryable(code) });
  }

  #drop(): void {
    if (this.#life.state === "ended" && this.bindings.size === 0 && this.#mux === undefined) return;
    this.#life.end();
    for (const binding of [...this.bindings.values()]) this.#host.bindings.drop(binding);
    this.#mux = undefined;
    this.#host.onEnded(this);
  }
}

/** What may succeed later, without the driver asking for something else. */
const isRetryable = (code: BindErrorCode): boolean =>
  code === "ALREADY_BOUND" || code === "PORT_IN_USE" || code === "INTERNAL";
