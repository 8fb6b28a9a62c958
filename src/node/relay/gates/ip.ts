import { createAddressSet } from "../../server/addressSet";
import { visitorErrors } from "../visitorError";
import { pass, type Gate, type GateVerdict } from "./judge";

/** Configures `globals.tunnelGates.ip`. */
export interface IpGateConfig {
  /** Addresses and ranges, as "10.0.0.0/8" or "2001:db8::/32". */
  readonly allow: readonly string[];
  /** Kept out all the same. Default none. */
  readonly deny?: readonly string[] | undefined;
}

/** Lets addresses in, as they are behind the relay's trusted proxies. @throws {TypeError} an entry is no range */
export function createIpGate(option: string, config: IpGateConfig): Gate {
  const { allow, deny = [] } = (config ?? {}) as Partial<IpGateConfig>;
  if (!Array.isArray(allow) || !Array.isArray(deny)) {
    throw new TypeError(`${option}: allow must be a list of ranges such as "10.0.0.0/8"; deny may be one.`);
  }
  const allowed = createAddressSet(`${option}: allow`, allow as readonly string[]);
  const denied = createAddressSet(`${option}: deny`, deny as readonly string[]);
  const refusal: GateVerdict = { kind: "deny", failure: visitorErrors.gateDenied };
  return {
    name: "ip",
    secretParameters: [],
    secretHeaders: [],
    judge: ({ visitor: { peer } }) => (allowed.has(peer) && !denied.has(peer) ? pass : refusal),
  };
}
