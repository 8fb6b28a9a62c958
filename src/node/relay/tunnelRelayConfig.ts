import type { Server } from "node:http";
import type { TunnelGateGroups } from "./gates/gateContract";
import type { BuiltinTunnelHook } from "./hooks/hookContract";

/** Limits of a relay; each is answered as the page on the protocol says. */
export interface TunnelRelayLimits {
  /** Connections that have not said HELLO. Default 32. */
  readonly maxPreAuthConnections?: number | undefined;
  /** From the upgrade to HELLO, in ms. Default 5,000. */
  readonly helloTimeoutMs?: number | undefined;
  /** Default 256. */
  readonly maxSessions?: number | undefined;
  /** Default 16. */
  readonly maxSessionsPerPrincipal?: number | undefined;
  /** Links of one session, of the second version of the protocol. Default 8. */
  readonly maxConnectionsPerSession?: number | undefined;
  /** Visitors of one session at a time. Default 1,000, at most 4,096. */
  readonly maxStreams?: number | undefined;
  /** Bindings of one session. Default 32. */
  readonly maxBindings?: number | undefined;
  /** Largest payload of a frame, in bytes. Default 65,536, at most 262,144. */
  readonly maxFrame?: number | undefined;
  /** First window of a stream, in bytes. Default 262,144. */
  readonly window?: number | undefined;
  /** Largest window of a stream, in bytes. Default 8 MiB. */
  readonly maxWindow?: number | undefined;
  /** Received and not taken by visitors, over one session, in bytes. Default 64 MiB. */
  readonly sessionBufferBytes?: number | undefined;
  /** Waiting for one connection of a driver: above this, visitors wait too, in bytes. Default 1 MiB. */
  readonly linkQueueBytes?: number | undefined;
  /** As `linkQueueBytes`; above this the connection is closed. Default 16 MiB, at least 1 MiB. */
  readonly maxLinkQueueBytes?: number | undefined;
  /** Replies to one connection of a driver that it has not read. Default 4,096. */
  readonly maxControlFrames?: number | undefined;
  /** Control messages of one session per second. Default 50. */
  readonly controlRate?: number | undefined;
  /** Control messages of one session at a time. Default 200. */
  readonly controlBurst?: number | undefined;
  /** Head of a request to connect, in bytes. Default 16,384. */
  readonly connectHeadBytes?: number | undefined;
  /** Sockets and listeners of the relay. Default: what the process may open, at most 65,536, less 256. */
  readonly fdPermits?: number | undefined;
  /** Connections from one address; behind trusted proxies, requests at a time. Not for this machine. Default 256. */
  readonly maxConnectionsPerVisitorIp?: number | undefined;
  /** Head of a visitor's request, in bytes. Default 32,768. */
  readonly visitorHeadBytes?: number | undefined;
  /** Time for it, in ms. Default 15,000. */
  readonly visitorHeadMs?: number | undefined;
  /** Time for a visitor's request with its body, in ms; a body that brings 1 KiB in 10 s may take longer. Default 300,000. */
  readonly visitorRequestMs?: number | undefined;
  /** How long a visitor's connection stays open between requests, in ms. Default 65,000. */
  readonly visitorIdleMs?: number | undefined;
}

/** Who may connect to a relay, as for an exposure. */
export interface TunnelRelayAuth {
  readonly token?: string | readonly string[] | undefined;
  /** Name of the header. Default "x-runner-token". */
  readonly header?: string | undefined;
  /** Without tokens and validator tasks: `true` serves everyone. Default: programs of this machine, outside production. */
  readonly allowAnonymous?: boolean | undefined;
}

/** Configures `tunnelRelay`. */
export interface TunnelRelayConfig {
  /** An own server; port 0 picks a free one. Host by default "127.0.0.1". */
  readonly listen?: { readonly port: number; readonly host?: string | undefined } | undefined;
  /** The own server speaks TLS: certificate, its chain after it, and key, as PEM. Default: plain HTTP. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** A server to attach to. */
  readonly server?: Server | undefined;
  readonly auth?: TunnelRelayAuth | undefined;
  /** Where bindings are published, as `https://{port}-{name}.tun.example.com`. Default HOODY_TUNNEL_PUBLIC_URL_PATTERN. */
  readonly publicUrlPattern?: string | readonly string[] | undefined;
  /** Ports for bindings that ask for none. Default 20,000 to 20,999. */
  readonly portRange?: readonly [from: number, to: number] | undefined;
  /** Origins of pages that may connect. Default none. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Names of the relay itself, as "relay.example.com", where a proxy of this machine passes them on. Default: the hosts
   * of patterns by path, and names that no binding may have; addresses and localhost always count.
   */
  readonly hosts?: readonly string[] | undefined;
  /** Ports 80 to 1023. Default neither. */
  readonly allowPrivileged?: { readonly expose?: boolean | undefined; readonly pull?: boolean | undefined } | undefined;
  /** Addresses of proxies whose forwarding headers count, and ranges such as "10.0.0.0/8". Default none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Host names that lead to the binding of a name. */
  readonly aliases?: Readonly<Record<string, { readonly name: string }>> | undefined;
  /** Which visitors are let in: `[[a, b], [c]]` is (a and b) or c. Default: all. */
  readonly gates?: TunnelGateGroups | undefined;
  /** As `gates`, and in their place, for bindings of a name; `[]` lets all visitors in. */
  readonly gatesByName?: Readonly<Record<string, TunnelGateGroups>> | undefined;
  /** Hooks of `globals.tunnelHooks`, besides the tasks tagged `globals.tags.tunnelHook`; at equal order these come first. */
  readonly hooks?: readonly BuiltinTunnelHook[] | undefined;
  /** How long each gate and hook may take, in ms. Default 5,000. */
  readonly hookTimeoutMs?: number | undefined;
  readonly limits?: TunnelRelayLimits | undefined;
  /** Descriptors that the process may open, where the system does not tell. Default 4,096. */
  readonly fdLimit?: number | undefined;
  /** A session without bindings and streams ends after this, in ms. Default 300,000; 0 for never. */
  readonly idleMs?: number | undefined;
  /** Silence after which a link is asked for a sign of life, in ms. Default 15,000. */
  readonly pingMs?: number | undefined;
  /** Silence after which a link is given up, in ms. Default 60,000. */
  readonly deadMs?: number | undefined;
  /** How long a session waits for its driver to come back, in ms. Default 60,000. */
  readonly graceMs?: number | undefined;
  /** How long requests in flight may take when the relay stops, in ms. Default 30,000. */
  readonly drainMs?: number | undefined;
  /** How long a driver may take from what arrived last of a request until a response begins, in ms. Default 60,000. */
  readonly responseTimeoutMs?: number | undefined;
}
