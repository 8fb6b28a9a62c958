import type { RequestListener, Server } from "node:http";
import type { FetchHandler } from "./fetchListener";
import type { HostHeader } from "./serviceRequest";
import type { StreamTarget } from "./streamTarget";
import { TunnelSession, type BindRequest, type TunnelSessionOptions } from "./tunnelSession";

/** A published service. */
export interface TunnelHandle extends AsyncDisposable {
  /** Where visitors reach it; `null` where the relay has no pattern for public URLs. */
  readonly publicUrl: string | null;
  /** The port on the relay's loopback interface. */
  readonly containerPort: number;
  readonly bindId: number;
  /** Shared with other handles where one was passed in. */
  readonly session: TunnelSession;
  /** Takes the service back; a session that was made for it ends as well. */
  close(): Promise<void>;
}

interface PublishOptions extends TunnelSessionOptions {
  /** A session to share; `relay`, `token` and the other options of a session are then its own. */
  readonly session?: TunnelSession | undefined;
}

/** What is published of a local HTTP service. */
export interface TunnelExposeOptions extends PublishOptions {
  /** Port of the service on this machine; or `url`. */
  readonly port?: number | undefined;
  /** URL of the service, as "http://127.0.0.1:3000" or "https://localhost:8443". */
  readonly url?: string | undefined;
  /** For an `https:` URL whose certificate is not signed by a known authority. */
  readonly tls?:
    { readonly ca?: string | Buffer | undefined; readonly rejectUnauthorized?: boolean | undefined } | undefined;
  /** Name that its public URL has. */
  readonly name?: string | undefined;
  /** Port on the relay. Default: any. */
  readonly containerPort?: number | undefined;
  /** Takes the binding over from another session of the same caller. Default false. */
  readonly takeover?: boolean | undefined;
  /** "local" names the service itself in `Host`, instead of the host of the visitor's URL. Default "visitor". */
  readonly hostHeader?: HostHeader | undefined;
  /** How long the service may take to accept a connection, in ms. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
}

/**
 * Publishes a local HTTP service, WebSocket upgrades included, through a relay.
 *
 * @throws {TypeError} neither `port` nor `url`
 * @throws {TunnelRefusedError} (as a rejection) the relay refused the credentials
 * @throws {TunnelBindError} (as a rejection) the relay refused the binding
 * @see readmes/REVERSE_TUNNELS.md
 */
export async function tunnelExpose(options: TunnelExposeOptions): Promise<TunnelHandle> {
  const { port, url, tls, hostHeader, connectTimeoutMs = 5_000 } = options;
  if (port === undefined && url === undefined)
    throw new TypeError("tunnelExpose needs the port or the url of a service.");
  const at = new URL(url ?? `http://127.0.0.1:${port}`);
  const isSecure = at.protocol === "https:";
  const { canPool, httpTarget, importUndici } = await import("./targets");
  const undici = isSecure ? undefined : await importUndici();
  const target = httpTarget({
    // URLs write IPv6 in brackets; name servers and sockets do not know these.
    host: at.hostname.replace(/^\[|\]$/g, ""),
    port: Number(at.port) || (isSecure ? 443 : 80),
    tls: isSecure ? (tls ?? {}) : undefined,
    connectTimeoutMs,
    hostHeader,
    undici: canPool(undici) ? undici : undefined,
  });
  return publish(options, httpBinding(options, target));
}

/** What is published of this process: one of `server` and `fetch`. */
export interface TunnelServeOptions extends Omit<TunnelExposeOptions, "port" | "url" | "tls" | "connectTimeoutMs"> {
  /** An `http.Server`, listening or not, or a listener for requests. */
  readonly server?: Server | RequestListener | undefined;
  /** A handler of the Fetch standard; one that throws is answered 500. */
  readonly fetch?: FetchHandler | undefined;
  /** Told of what `fetch` throws. Default: a warning of the process. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Publishes a server of this process through a relay; it need not listen. The server of an exposure is one.
 *
 * @throws {TypeError} neither `server` nor `fetch`, or both
 * @throws {TunnelRefusedError} (as a rejection) the relay refused the credentials
 * @throws {TunnelBindError} (as a rejection) the relay refused the binding
 * @see readmes/REVERSE_TUNNELS.md
 */
export async function tunnelServe(options: TunnelServeOptions): Promise<TunnelHandle> {
  const { server, fetch, hostHeader, onError = warn } = options;
  if ((server === undefined) === (fetch === undefined)) {
    throw new TypeError("tunnelServe needs one of server and fetch.");
  }
  const { fetchListener, listenerTarget } = await import("./targets");
  const handler = server ?? fetchListener(fetch as FetchHandler, onError);
  const target = listenerTarget({ handler, hostHeader });
  return publish(options, httpBinding(options, target));
}

/** What is projected of a local TCP service. */
export interface TunnelPullOptions extends PublishOptions {
  /** Port on the relay's loopback interface. 0 for any. */
  readonly containerPort: number;
  readonly localPort: number;
  /** Default "127.0.0.1". */
  readonly localHost?: string | undefined;
  /** How long the service may take to accept a connection, in ms. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
}

/**
 * Projects a local TCP service onto the relay's loopback interface.
 *
 * @throws {TunnelRefusedError} (as a rejection) the relay refused the credentials
 * @throws {TunnelBindError} (as a rejection) the relay refused the binding
 * @see readmes/REVERSE_TUNNELS.md
 */
export async function tunnelPull(options: TunnelPullOptions): Promise<TunnelHandle> {
  const { containerPort, localPort, localHost = "127.0.0.1", connectTimeoutMs = 5_000 } = options;
  const { tcpTarget } = await import("./targets");
  const target = tcpTarget({ host: localHost, port: localPort, connectTimeoutMs });
  return publish(options, { kind: "tcp", mode: "pull", containerPort, target });
}

const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error));

const httpBinding = (
  { name, containerPort = 0, takeover }: Pick<TunnelExposeOptions, "name" | "containerPort" | "takeover">,
  target: StreamTarget,
): BindRequest => ({ kind: "http", mode: "expose", containerPort, name, takeover, target });

async function publish(options: PublishOptions, request: BindRequest): Promise<TunnelHandle> {
  const session = options.session ?? new TunnelSession(options);
  const isOwn = options.session === undefined;
  try {
    const bound = await session.bind(request);
    const close = async (): Promise<void> => {
      // A session that ends drops its bindings by its last message, also where nothing is answered any more.
      if (isOwn) await session.close();
      else await bound.unbind();
    };
    return {
      get publicUrl() {
        return bound.publicUrl;
      },
      get containerPort() {
        return bound.containerPort;
      },
      get bindId() {
        return bound.bindId;
      },
      session,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    request.target.close();
    if (isOwn) await session.close();
    throw error;
  }
}
