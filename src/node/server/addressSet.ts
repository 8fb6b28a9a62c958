import { BlockList, isIP } from "node:net";
import { plainAddress } from "../../tunnels/http/callerAddress";

/** Addresses and ranges of addresses. */
export interface AddressSet {
  has(address: string): boolean;
}

/**
 * Compiles addresses and ranges in CIDR notation, of IPv4 and IPv6.
 *
 * @param option what the list is called in messages
 * @throws {TypeError} an entry is neither
 */
export function createAddressSet(option: string, entries: Iterable<string>): AddressSet {
  const list = new BlockList();
  let isEmpty = true;
  for (const entry of entries) {
    const [, given = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(String(entry)) ?? [];
    // An IPv4 range in its IPv6 form counts its bits from further on the left.
    const address = bits === undefined ? plainAddress(given) : given;
    const version = isIP(address);
    const mostBits = version === 4 ? 32 : 128;
    if (version === 0 || address.includes("%") || Number(bits ?? 0) > mostBits) {
      throw new TypeError(
        `${option} has "${String(entry)}", which is no address and no range such as "10.0.0.0/8" or "2001:db8::/32".`,
      );
    }
    const family = version === 4 ? "ipv4" : "ipv6";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
    isEmpty = false;
  }
  return {
    has(address) {
      if (isEmpty) return false;
      const plain = plainAddress(address);
      const version = isIP(plain);
      return version !== 0 && list.check(plain, version === 4 ? "ipv4" : "ipv6");
    },
  };
}
