import type { Duplex } from "node:stream";

/**
 * The event after which bytes can be sent over a socket; `undefined` where they can be sent at once.
 *
 * Over TLS that is the end of the handshake, at which the certificate is judged.
 */
export function connectEventOf(socket: Duplex): "connect" | "secureConnect" | undefined {
  const { connecting, encrypted } = socket as { readonly connecting?: boolean; readonly encrypted?: boolean };
  if (connecting !== true) return undefined;
  return encrypted === true ? "secureConnect" : "connect";
}
