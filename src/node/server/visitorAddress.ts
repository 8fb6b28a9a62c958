import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { valuesOf } from "./repeatedHeaders";
import { plainAddress } from "../../tunnels/http/callerAddress";
import type { AddressSet } from "./addressSet";

/**
 * The address of a visitor: what trusted proxies say, from the nearest one on, until an address that is none of them.
 *
 * Whatever stands further on the left was written by the visitor.
 */
export function visitorAddress(
  req: Pick<IncomingMessage, "rawHeaders" | "socket">,
  trustedProxies: AddressSet,
): string {
  let address = plainAddress(req.socket.remoteAddress ?? "");
  if (!trustedProxies.has(address)) return address;
  const hops = valuesOf(req, "x-forwarded-for").join(",").split(",").reverse();
  for (const hop of hops) {
    const before = plainAddress(withoutPort(hop.trim()));
    if (isIP(before) === 0) return address;
    address = before;
    if (!trustedProxies.has(address)) return address;
  }
  return address;
}

/** Some proxies write the port as well. */
const withoutPort = (hop: string): string =>
  /^\[(.*)\](?::\d+)?$/.exec(hop)?.[1] ?? hop.replace(/^([\d.]+):\d+$/, "$1");
