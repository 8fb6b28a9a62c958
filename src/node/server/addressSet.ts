import { BlockList, isIP } from "node:net";

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

/** Without the zone, and an IPv4 address that a socket of IPv6 shows (RFC 4291 section 2.5.5.2) as what it is. */
export const plainAddress = (address: string): string =>
  address
    .trim()
    .replace(/%.*$/, "")
    .replace(/^::ffff:(?=\d{1,3}(\.\d{1,3}){3}$)/i, "");

/**
 * What counts as one visitor where visitors are counted: an address of IPv4; of IPv6 its network of 64 bits, because a host
 * that has one such address has all of its network (RFC 6177).
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6 || /^::ffff:/i.test(plain)) return plain;
  const [left = [], right] = plain.split("::").map((half) => (half === "" ? [] : half.split(":")));
  // An IPv4 address at the end stands for two groups.
  const rightCount = (right?.length ?? 0) + Number(right?.at(-1)?.includes(".") === true);
  const zeros = right === undefined ? 0 : Math.max(0, 8 - left.length - rightCount);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...(right ?? [])].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
