import type { HelloErrorCode } from "../../relay/codes";
import type { Hello } from "../../relay/controlMessages";
import { negotiate } from "../../relay/handshake";
import type { MuxSession } from "../../relay/muxSession";
import { mayResume } from "../../relay/sessionLife";
import type { BindingTable } from "./bindings";
import type { ResolvedRelayConfig } from "./config";
import { RelaySession, type SessionOwner } from "./relaySession";

/** The sessions of a relay, by id. */
export class RelaySessions {
  readonly #config: ResolvedRelayConfig;
  readonly #bindings: BindingTable;
  readonly #sessions = new Map<string, RelaySession>();

  constructor(config: ResolvedRelayConfig, bindings: BindingTable) {
    this.#config = config;
    this.#bindings = bindings;
  }

  get all(): readonly RelaySession[] {
    return [...this.#sessions.values()];
  }

  get(id: string): RelaySession | undefined {
    return this.#sessions.get(id);
  }

  /** Answers the greeting of a primary link. @returns a code where there is no session for it */
  greet(hello: Hello, mux: MuxSession, owner: SessionOwner): RelaySession | HelloErrorCode {
    const agreed = negotiate(hello, owner.protocol, this.#config.session);
    if (typeof agreed === "string") return agreed;
    const session = this.#resumable(hello, owner) ?? this.#create(owner);
    if (session === undefined) return "CAPACITY";
    session.attach(mux, owner, agreed);
    return session;
  }

  /** Ends all of them; drivers may come back. */
  shutDown(drainMs: number): void {
    for (const { mux } of this.all) mux?.goAway("SHUTDOWN", { drainMs, reconnect: true, message: "The relay stops." });
  }

  endAll(): void {
    for (const session of this.all) session.leave();
  }

  #resumable({ resume }: Hello, { principal }: SessionOwner): RelaySession | undefined {
    const session = resume && this.#sessions.get(resume.sessionId);
    if (session?.isResumable !== true) return undefined;
    const isTokenRight = session.isResumeToken(resume?.token);
    return mayResume({ owner: session.owner.principal, principal, isTokenRight }) ? session : undefined;
  }

  #create(owner: SessionOwner): RelaySession | undefined {
    const { maxSessions, maxSessionsPerPrincipal } = this.#config;
    const own = this.all.filter((each) => each.owner.principal === owner.principal);
    if (this.#sessions.size >= maxSessions || own.length >= maxSessionsPerPrincipal) return undefined;
    const session = new RelaySession(owner, {
      config: this.#config,
      bindings: this.#bindings,
      onEnded: (ended) => void this.#sessions.delete(ended.id),
    });
    this.#sessions.set(session.id, session);
    return session;
  }
}
