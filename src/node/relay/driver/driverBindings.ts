import { setTimeout as delay } from "node:timers/promises";
import type { BindKind, BindMode, ControlMessage, HelloOk } from "../../../relay/controlMessages";
import type { MuxSession } from "../../../relay/muxSession";
import { Backoff } from "./backoff";
import { TunnelBindError } from "./driverErrors";
import type { StreamTarget } from "./streamTarget";

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

/** A binding of this side, whose facts change when a relay without the session makes it anew. */
export interface DriverBinding {
  readonly facts: BoundFacts;
  unbind(): Promise<void>;
}

export interface DriverBindingsEvents {
  /** Bound anew. */
  onBound(facts: BoundFacts): void;
  onRevoked(facts: { readonly bindId: number; readonly code: string }): void;
}

interface Entry extends BindRequest {
  bound: BoundFacts | undefined;
  /** Ends the wait for the first answer; absent after it. */
  settle: ((error?: unknown) => void) | undefined;
  /** Whether an answer is on its way. */
  isAsking: boolean;
}

interface Connection {
  readonly mux: MuxSession;
  readonly lost: AbortController;
}

type Reply = Extract<ControlMessage, { t: "BIND_OK" | "BIND_ERR" | "UNBIND_OK" }>;

/** What a driver has bound and wants to have bound, over all its connections. */
export class DriverBindings {
  readonly #events: DriverBindingsEvents;
  readonly #entries = new Set<Entry>();
  readonly #replies = new Map<number, (reply: Reply | Error) => void>();
  #connection: Connection | undefined;
  #nextReq = 1;
  #endedBy: Error | undefined;

  constructor(events: DriverBindingsEvents) {
    this.#events = events;
  }

  /** Resolves once bound, over this connection or a later one. @throws {TunnelBindError} the relay refused it */
  async bind(request: BindRequest): Promise<DriverBinding> {
    if (this.#endedBy !== undefined) throw this.#endedBy;
    const entry: Entry = { ...request, bound: undefined, settle: undefined, isAsking: false };
    await new Promise<void>((resolve, reject) => {
      entry.settle = (error) => (error === undefined ? resolve() : reject(error));
      this.#entries.add(entry);
      void this.#establish(entry);
    });
    return {
      get facts() {
        return entry.bound as BoundFacts;
      },
      unbind: () => this.#unbind(entry),
    };
  }

  /** There is a connection. Resolves once the relay has answered for every binding that it does not have. */
  async connected(mux: MuxSession, { resumed, bindings }: HelloOk): Promise<void> {
    this.#connection = { mux, lost: new AbortController() };
    const entries = [...this.#entries];
    const kept = new Set(resumed ? bindings.map(({ bindId }) => bindId) : []);
    const isKept = ({ bound }: Entry): boolean => bound !== undefined && kept.has(bound.bindId);
    // What was taken back while there was no connection.
    for (const bindId of kept) {
      if (!entries.some(({ bound }) => bound?.bindId === bindId)) void this.#askToUnbind(bindId);
    }
    await Promise.all(entries.filter((entry) => !isKept(entry)).map((entry) => this.#establish(entry)));
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#connection?.lost.abort();
    this.#connection = undefined;
    for (const settle of [...this.#replies.values()]) settle(new LinkLostError());
  }

  receive(message: ControlMessage): void {
    switch (message.t) {
      case "BIND_OK":
      case "BIND_ERR":
      case "UNBIND_OK":
        return this.#replies.get(message.req)?.(message);
      case "BIND_REVOKED":
        for (const entry of this.#entries) {
          // With credentials that hold again it is bound anew.
          if (entry.bound?.bindId === message.bindId && message.code !== "AUTH_EXPIRED") this.#forget(entry);
        }
        return this.#events.onRevoked({ bindId: message.bindId, code: message.code });
      default:
    }
  }

  targetOf(bindId: number): StreamTarget | undefined {
    for (const { bound, target } of this.#entries) if (bound?.bindId === bindId) return target;
    return undefined;
  }

  /** Nothing is bound any more, or again. */
  end(error: Error): void {
    this.#endedBy = error;
    this.disconnected();
    for (const entry of [...this.#entries]) {
      entry.settle?.(error);
      this.#forget(entry);
    }
  }

  async #establish(entry: Entry, backoff = new Backoff()): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined || entry.isAsking) return;
    entry.isAsking = true;
    try {
      entry.bound = await this.#sendBind(entry);
      if (entry.settle === undefined) this.#events.onBound(entry.bound);
      entry.settle?.();
      entry.settle = undefined;
    } catch (error) {
      // A connection that was lost says nothing about the binding: the next one asks again.
      if (!(error instanceof LinkLostError)) this.#refused(entry, error as Error, connection, backoff);
    } finally {
      entry.isAsking = false;
    }
  }

  /** The first refusal is for who asked; of what was bound before, what may succeed later is tried again. */
  #refused(entry: Entry, error: Error, connection: Connection, backoff: Backoff): void {
    if (entry.settle !== undefined) {
      this.#entries.delete(entry);
      return entry.settle(error);
    }
    if (error instanceof TunnelBindError && error.retryable) return void this.#retry(entry, connection, backoff);
    const { bindId = 0 } = entry.bound ?? {};
    this.#forget(entry);
    this.#events.onRevoked({ bindId, code: error instanceof TunnelBindError ? error.code : "INTERNAL" });
  }

  async #retry(entry: Entry, { lost: { signal } }: Connection, backoff: Backoff): Promise<void> {
    await delay(backoff.next(), undefined, { signal, ref: false }).catch(() => {});
    if (!signal.aborted && this.#entries.has(entry)) await this.#establish(entry, backoff);
  }

  /** Where any port will do, the one that visitors know is asked for first. */
  async #sendBind(entry: Entry): Promise<BoundFacts> {
    const { containerPort, bound } = entry;
    if (containerPort !== 0 || bound === undefined) return this.#askToBind(entry, containerPort);
    try {
      return await this.#askToBind(entry, bound.containerPort);
    } catch (error) {
      if (!(error instanceof TunnelBindError)) throw error;
      return this.#askToBind(entry, 0);
    }
  }

  async #askToBind(entry: Entry, containerPort: number): Promise<BoundFacts> {
    const { kind, mode, host, name, takeover = false } = entry;
    const reply = await this.#ask(
      (req) => ({
        t: "BIND",
        req,
        kind,
        mode,
        containerPort,
        host: host ?? "127.0.0.1",
        name,
        path: undefined,
        takeover,
      }),
      (answer) => {
        // Visitors may follow in the same message, where a binding is taken over.
        if (answer.t === "BIND_OK") entry.bound = factsOf(answer);
      },
    );
    if (reply.t === "BIND_OK") return factsOf(reply);
    const { code, message, retryable } = reply as Extract<Reply, { t: "BIND_ERR" }>;
    throw new TunnelBindError(code, message, retryable);
  }

  async #unbind(entry: Entry): Promise<void> {
    if (!this.#entries.has(entry)) return;
    this.#forget(entry);
    if (entry.bound !== undefined) await this.#askToUnbind(entry.bound.bindId);
  }

  async #askToUnbind(bindId: number): Promise<void> {
    // Without a connection the next one takes it back.
    await this.#ask((req) => ({ t: "UNBIND", req, bindId })).catch(() => {});
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry);
    entry.target.close();
  }

  /** @param onReply called before what arrived behind the reply is handled */
  #ask(make: (req: number) => ControlMessage, onReply: (reply: Reply) => void = () => {}): Promise<Reply> {
    const req = this.#nextReq++;
    return new Promise((resolve, reject) => {
      if (this.#connection === undefined) return reject(new LinkLostError());
      this.#replies.set(req, (reply) => {
        this.#replies.delete(req);
        if (reply instanceof Error) return reject(reply);
        onReply(reply);
        resolve(reply);
      });
      this.#connection.mux.send(make(req));
    });
  }
}

const factsOf = ({ bindId, containerPort, publicUrl }: Extract<Reply, { t: "BIND_OK" }>): BoundFacts => ({
  bindId,
  containerPort,
  publicUrl,
});

/** What was asked of the relay is answered over another link, or not at all. */
class LinkLostError extends Error {
  override readonly name = "LinkLostError";
  override readonly message = "The link was lost.";
}
