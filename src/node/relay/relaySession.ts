import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { CloseCode, type GoAwayCode, type HelloErrorCode } from "../../relay/codes";
import { encodeShardOk, type Bind, type ControlMessage, type Hello, type HelloOk } from "../../relay/controlMessages";
import { FrameType } from "../../relay/frames";
import type { Negotiated, Subprotocol } from "../../relay/handshake";
import type { MuxLink } from "../../relay/muxLink";
import type { MuxSession } from "../../relay/muxSession";
import { SessionLife } from "../../relay/sessionLife";
import type { Binding, BindingSession, BindingTable } from "./bindings";
import type { ResolvedRelayConfig } from "./config";
import type { DriverRights } from "./driverRights";
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
  readonly rights: DriverRights;
  readonly peerAddr: string;
  readonly protocol: Subprotocol;
}

type ShardGreeting = NonNullable<Hello["shard"]>;

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
  /** Secondary links by their index. */
  readonly #shards = new Map<number, MuxLink>();
  #isKilled = false;
  #cancelExpiry: () => void = () => {};
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

  /** As `mux`, and also while an ended session's last visitors are served. */
  get activeMux(): MuxSession | undefined {
    return this.#mux;
  }

  get activeStreams(): number {
    return this.#mux?.activeStreams ?? 0;
  }

  /** Visitors at a time, as agreed on. */
  get maxStreams(): number {
    return this.#maxStreams;
  }

  get maxBindings(): number {
    return Math.min(this.#host.config.session.maxBindings, this.#owner.rights.maxBindings);
  }

  /** Whether visitors of a binding may be let through to the driver now. */
  serves(binding: Binding): boolean {
    const { rights } = this.#owner;
    // The timer may be late, as after a sleep of the machine.
    if (rights.isExpired()) this.#watchExpiry();
    return binding.isPublished && rights.permits(binding) && !rights.isExpired();
  }

  /** Visitors' streams since the session began. */
  get openedTotal(): number {
    return this.#openedBefore + (this.#mux?.openedTotal ?? 0);
  }

  isResumeToken(token: string | undefined): boolean | undefined {
    return token === undefined ? undefined : isSame(token, this.#resumeToken);
  }

  /**
   * Lets a secondary link join; it takes the place of one with the same index, which the driver has lost before we did.
   *
   * @returns the multiplexer it is part of now, or why it is of none
   */
  joinShard(link: MuxLink, { token, index }: ShardGreeting, principal: string): MuxSession | HelloErrorCode {
    const { mux } = this;
    if (mux === undefined || principal !== this.#owner.principal || !isSame(token, this.#shardToken)) return "AUTH";
    if (index < 1 || index >= this.#connections) return "CAPACITY";
    const before = this.#shards.get(index);
    if (before !== undefined) {
      before.close(CloseCode.SUPERSEDED, "Another link took over.");
      mux.linkLost(before);
    }
    this.#shards.set(index, link);
    link.sendControl(FrameType.CONTROL, 0, 0, encodeShardOk());
    mux.adopt(link);
    return mux;
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
    this.#shards.clear();
    this.#maxStreams = settings.maxStreams;
    mux.agree(settings, before?.nextFirstStreamId);
    const [resumeToken, shardToken] = [randomBytes(32).toString("base64url"), randomBytes(32).toString("base64url")];
    this.#resumeToken = digest(resumeToken);
    this.#shardToken = digest(shardToken);
    const revoked = this.#judge(owner.rights);
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
      limits: { maxBindings: this.maxBindings, sessionBufferBytes: session.sessionBufferBytes },
    };
    mux.send(hello);
    for (const { bindId } of revoked) mux.send({ t: "BIND_REVOKED", bindId, code: "ADMIN" });
    this.#watchExpiry();
  }

  /** Drops the bindings that a new verdict does not permit. */
  #judge(rights: DriverRights): readonly Binding[] {
    const own = [...this.bindings.values()];
    const permitted = own.filter((binding) => rights.permits(binding)).slice(0, rights.maxBindings);
    const revoked = own.filter((binding) => !permitted.includes(binding));
    for (const binding of revoked) this.#host.bindings.drop(binding);
    return revoked;
  }

  /** Asks again at least every minute, since the time of day may be set while a timer runs. */
  #watchExpiry(): void {
    this.#cancelExpiry();
    const { rights } = this.#owner;
    const { expiresAtMs } = rights;
    if (expiresAtMs === undefined || this.#life.state === "ended") return;
    if (rights.isExpired()) return this.#expire();
    const waitMs = Math.min(Math.max(1, expiresAtMs - Date.now()), 60_000);
    this.#cancelExpiry = nodeClock.after(waitMs, () => this.#watchExpiry());
  }

  /** The driver may come back with credentials that hold. */
  #expire(): void {
    const { mux } = this;
    for (const { bindId } of this.bindings.values()) mux?.send({ t: "BIND_REVOKED", bindId, code: "AUTH_EXPIRED" });
    const message = "The credentials of the driver have expired.";
    mux?.goAway("AUTH_EXPIRED", { reconnect: true, message });
    mux?.close(CloseCode.AUTH_EXPIRED, message);
    this.#drop();
  }

  /** A message of a driver that has greeted. */
  receive(message: ControlMessage, link: MuxLink): void {
    // Of a secondary link, only that link ends.
    if (link !== this.#mux?.links[0]) return;
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
    for (const [index, shard] of this.#shards) if (shard === link) this.#shards.delete(index);
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
    this.#life.touch();
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
    mux?.send({ t: "BIND_ERR", req: request.req, ...outcome });
  }

  #drop(): void {
    if (this.#life.state === "ended" && this.bindings.size === 0 && this.#mux === undefined) return;
    this.#life.end();
    this.#cancelExpiry();
    for (const binding of [...this.bindings.values()]) this.#host.bindings.drop(binding);
    this.#mux = undefined;
    this.#host.onEnded(this);
  }
}
