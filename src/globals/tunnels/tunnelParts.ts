import type { IResource } from "../../define/resource";
import { builderIncompleteError } from "../../errors/bootErrors";
import type { TunnelRunner } from "../../tunnels/routing/tags";
import type { RunResult } from "../../runtime/run/runResult";
import type { RemoteClient } from "../../tunnels/client/remoteClient";
import type { OverEndpoints } from "../../tunnels/pool/poolConfig";
import type { HttpClientFactoryConfig } from "../resources/httpClientFactory";

/**
 * What tunnels of `r.tunnel` are connected by. They find it in the run by its id, so that the builders bring neither clients
 * nor what serves calls into a page that has no use for them.
 */
export const tunnelClientFactoryId = "globals.resources.tunnelClientFactory";
export const memoryServerId = "globals.resources.memoryServer";

/** Where a client tunnel calls, and how. */
export interface HttpTunnelConfig extends HttpClientFactoryConfig {
  /** Node alone: most connections; further calls wait for one. Default 128. */
  readonly maxConnections?: number | undefined;
}

/** Where a client tunnel calls: one server, or under Node's `run` several of the same tasks. */
export type HttpTunnelTarget = HttpTunnelConfig | OverEndpoints<HttpTunnelConfig>;

/** Makes the clients of tunnels. Under Node's `run` they keep a pool of connections, and send files and streams. */
export type TunnelClientFactory = (config: HttpTunnelTarget) => RemoteClient;

/** A run that a memory tunnel calls. */
export type MemoryTarget = Pick<RunResult<any>, "store">;

/** Serves calls from this process. */
export interface MemoryServer {
  /** A client of the run. */
  connect(): RemoteClient;
}

/** A resource whose value is a tunnel. */
export type TunnelResource<C = void> = IResource<C, Promise<TunnelRunner>>;

/** The error of a tunnel that is built before it was told what it needs. */
export const incompleteTunnel = (builderId: string, missingFields: readonly string[]): Error =>
  builderIncompleteError.create({ type: "tunnel", builderId, missingFields: [...missingFields] });
