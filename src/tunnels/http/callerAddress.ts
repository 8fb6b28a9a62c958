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
  if (!plain.includes(":") || /^::ffff:/i.test(plain)) return plain;
  const [left = [], right] = plain.split("::").map((half) => (half === "" ? [] : half.split(":")));
  // An IPv4 address at the end stands for two groups.
  const rightCount = (right?.length ?? 0) + Number(right?.at(-1)?.includes(".") === true);
  const zeros = right === undefined ? 0 : Math.max(0, 8 - left.length - rightCount);
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...(right ?? [])].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

/**
 * Whether an address, in plain form, is one of this machine or of a private network (RFC 1918, 3927, 4193, 4291), behind
 * which there may be many callers.
 */
export const isPrivateAddress = (address: string): boolean => privateRanges.test(address);

const privateRanges =
  /^(?:(?:127|10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+|::1|(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):[0-9a-f:]*)$/i;
