import type { Msg, MsgHdrs, NatsConnection, PublishOptions, Subscription } from "@nats-io/transport-node";
import { normalizeError } from "../../errors/normaliseThrown";
import { TunnelError } from "../../errors/tunnelError";
import { onAbort } from "../../lib/onAbort";
import type { ResolvedConnectionConfig } from "./connectionConfig";
import { loadNats } from "./loadNats";
import { TextBytes } from "./textBytes";

/** The broker does not let this connection publish to a subject, or listen to it. */
export interface Denial {
  readonly operation: "publish" | "subscription";
  readonly subject: string;
}

export interface LinkListener {
  /** The connection broke: whatever was sent and not answered may be lost. */
  onLost?(): void;
  onDenied?(denial: Denial): void;
}

/**
 * One connection to a broker, as clients and servers of a run share it. It reconnects for ever, and says when it is lost: what
 * the library keeps while it is away would be sent late, so that nothing is handed to it then.
 */
export class NatsLink {
  readonly connection: NatsConnection;
  readonly servers: string;
  readonly #newHeaders: () => MsgHdrs;
  readonly #newInbox: () => string;
  readonly #listeners = new Set<LinkListener>();
  readonly #waiting = new Set<() => void>();
  readonly #texts = new TextBytes();
  #isOnline = true;
  #isClosing = false;

  private constructor(
    connection: NatsConnection,
    servers: string,
    parts: { readonly newHeaders: () => MsgHdrs; readonly newInbox: () => string },
  ) {
    this.connection = connection;
    this.servers = servers;
    this.#newHeaders = parts.newHeaders;
    this.#newInbox = parts.newInbox;
    void this.#follow();
  }

  /** @throws {TunnelError} (as a rejection) `BROKER_OFFLINE`: no server can be connected to, or it refuses the credentials */
  static async open(config: ResolvedConnectionConfig): Promise<NatsLink> {
    const library = await loadNats("@nats-io/transport-node");
    const pace = createReconnectPace();
    const { servers, credentials } = config;
    try {
      const connection = await library.connect({
        servers: [...servers],
        name: config.name,
        timeout: config.connectTimeoutMs,
        inboxPrefix: config.inboxPrefix,
        maxReconnectAttempts: -1,
        // Servers that restart may lose the state that credentials are checked with, for a while.
        ignoreAuthErrorAbort: true,
        reconnectDelayHandler: pace.nextMs,
        noAsyncTraces: true,
        pingInterval: config.pingIntervalMs,
        ...(config.tls !== undefined && { tls: { ...config.tls } }),
        ...("token" in credentials && { token: credentials.token }),
        ...("user" in credentials && { user: credentials.user, pass: credentials.password }),
        ...("creds" in credentials && {
          authenticator: library.credsAuthenticator(new TextEncoder().encode(credentials.creds)),
        }),
        ...("nkeySeed" in credentials && {
          authenticator: library.nkeyAuthenticator(new TextEncoder().encode(credentials.nkeySeed)),
        }),
      });
      pace.reset();
      const link = new NatsLink(connection, servers.join(", "), {
        newHeaders: () => library.headers(),
        newInbox: () => library.createInbox(config.inboxPrefix),
      });
      link.listen({ onLost: pace.reset });
      return link;
    } catch (cause) {
      throw Object.assign(
        new TunnelError(
          "BROKER_OFFLINE",
          `natsConnection could not connect to ${servers.join(", ")}: ${normalizeError(cause).message}`,
          { servers, delivered: "no" },
        ),
        { cause },
      );
    }
  }

  /** Whether what is sent now leaves now. */
  get isOnline(): boolean {
    return this.#isOnline && !this.connection.isClosed();
  }

  /** Largest message that the broker takes, headers included, in bytes. */
  get maxPayload(): number {
    return this.connection.info?.max_payload ?? 1_048_576;
  }

  /** @returns what takes it back */
  listen(listener: LinkListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Whether it is online within a time. Rejects when the signal aborts. */
  whenOnline(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.isOnline) return Promise.resolve(true);
    if (this.#isClosing || this.connection.isClosed()) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        stopListening();
        resolve(this.isOnline);
      };
      const timer = setTimeout(settle, timeoutMs);
      this.#waiting.add(settle);
      const stopListening = onAbort(signal, () => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        reject(signal?.reason as Error);
      });
    });
  }

  /** Headers of a message. Names as they are; values that would break the head are refused. */
  headersOf(values: Readonly<Record<string, string | readonly string[] | undefined>>): MsgHdrs {
    const headers = this.#newHeaders();
    for (const name in values) {
      const value = values[name];
      if (value === undefined) continue;
      if (typeof value === "string") headers.append(name, value);
      else for (const each of value) headers.append(name, each);
    }
    return headers;
  }

  /** As above, for many messages: they become bytes once, where the library would do so for each. */
  lastingHeadersOf(values: Parameters<NatsLink["headersOf"]>[0]): MsgHdrs {
    const headers: MsgHdrs & { encode?: () => Uint8Array } = this.headersOf(values);
    // The library's own, which its types leave out.
    const bytes = headers.encode?.();
    if (bytes !== undefined) headers.encode = () => bytes;
    return headers;
  }

  /** Sends a message. @throws {Error} the connection is closed, or it is larger than the broker takes */
  publish(
    subject: string,
    payload?: string | Uint8Array,
    options: { readonly reply?: string; readonly headers?: MsgHdrs | undefined } = {},
  ): void {
    const bytes = typeof payload === "string" ? this.#texts.write(payload) : payload;
    // The library adds to the options that it gets.
    this.connection.publish(subject, bytes, { reply: options.reply, headers: options.headers } as PublishOptions);
  }

  /** Subscribes to addresses of its own, `<prefix>.<anything>`. */
  openInbox(onMessage: (message: Msg) => void, onFailed: (error: Error) => void): Inbox {
    const prefix = `${this.#newInbox()}.`;
    const subscription = this.subscribe(`${prefix}*`, {}, onMessage, onFailed);
    return { prefix, close: () => subscription.unsubscribe() };
  }

  /** What a callback throws would end the reading of the connection. */
  subscribe(
    subject: string,
    { queue }: { readonly queue?: string | undefined },
    onMessage: (message: Msg) => void,
    onFailed: (error: Error) => void,
  ): Subscription {
    return this.connection.subscribe(subject, {
      ...(queue !== undefined && { queue }),
      callback(error, message) {
        try {
          if (error === null) onMessage(message);
          else onFailed(error);
        } catch (thrown) {
          onFailed(normalizeError(thrown));
        }
      },
    });
  }

  /** Sends what is waiting, and closes. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const settle of [...this.#waiting]) settle();
    if (this.connection.isClosed()) return;
    if (this.isOnline && !this.connection.isDraining()) await this.connection.drain();
    else await this.connection.close();
  }

  async #follow(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === "disconnect") {
        if (!this.#isOnline) continue;
        this.#isOnline = false;
        for (const listener of [...this.#listeners]) listener.onLost?.();
      } else if (status.type === "reconnect") {
        this.#isOnline = true;
        for (const settle of [...this.#waiting]) settle();
      } else if (status.type === "error") {
        const { operation, subject } = status.error as Partial<Denial>;
        if (operation === undefined || subject === undefined) continue;
        for (const listener of [...this.#listeners]) listener.onDenied?.({ operation, subject });
      }
    }
  }
}

/** Where replies arrive. */
export interface Inbox {
  /** Any token behind it makes an address. */
  readonly prefix: string;
  close(): void;
}

/** Spreads the attempts of many clients whose broker is away: at first within a quarter of a second, at last within five. */
function createReconnectPace() {
  let attempts = 0;
  let askedAt = 0;
  return {
    nextMs(): number {
      const now = performance.now();
      // The library asks again after each wait, and once more before it dials.
      if (now - askedAt > 50) attempts += 1;
      askedAt = now;
      const most = Math.min(5000, 250 * 2 ** Math.min(attempts, 10));
      return 50 + Math.random() * most;
    },
    reset(): void {
      attempts = 0;
    },
  };
}
