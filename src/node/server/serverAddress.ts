import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Server as TlsServer } from "node:tls";

/** Where a server listens; 0 while it does not, and on a pipe. */
export const portOf = (server: Server | null): number => addressOf(server)?.port ?? 0;

/** Address of a path for programs of this machine; the path alone while the server does not listen, and on a pipe. */
export function urlOf(server: Server | null, path: string): string {
  const address = addressOf(server);
  if (address === undefined) return path;
  const scheme = (server as unknown) instanceof TlsServer ? "https" : "http";
  return `${scheme}://${hostOf(address)}:${address.port}${path === "/" ? "" : path}`;
}

function addressOf(server: Server | null): AddressInfo | undefined {
  // Servers of frameworks need not have it.
  const address = server?.address?.();
  return typeof address === "object" && address !== null ? address : undefined;
}

/** The addresses of all interfaces are none that can be called everywhere. */
function hostOf({ address, family }: AddressInfo): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return family === "IPv6" ? `[${address}]` : address;
}
