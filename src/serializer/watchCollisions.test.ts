import { Serializer } from "./Serializer";

const serializer = new Serializer();

const set = (keys: readonly unknown[]): string => serializer.stringify(new Set(keys));
const map = (keys: readonly unknown[]): string => serializer.stringify(new Map(keys.map((key) => [key, 1])));
const numbered = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_each, i) => make(i));

describe("keys that share a hash in the engine", () => {
  it.each([
    ["big integers that agree in their lowest 64 bits", numbered(3000, (index) => BigInt(index + 1) << 64n)],
    ["big integers of 64 bits", colliding(200, 9, (index) => BigInt(index))],
    ["integers", colliding(200, 9, (index) => index)],
    ["negative integers", colliding(200, 9, (index) => -1 - index)],
    ["fractions", colliding(200, 9, (index) => index + 0.5)],
    ["integers beyond 32 bits", colliding(200, 9, (index) => 2 ** 33 + index)],
    ["some of both kinds", [...colliding(200, 9, (index) => index), ...numbered(300, (index) => BigInt(index) << 70n)]],
  ])("keys that share a hash in the engine are refused in sets and maps, trees and graphs: %s", (_what, keys) => {
    const message = (type: string): string => `Invalid ${type} payload: too many keys share a hash`;

    expect(() => serializer.parse(set(keys))).toThrow(message("Set"));
    expect(() => serializer.parse(map(keys))).toThrow(message("Map"));
    expect(() => serializer.parse(serializer.serialize(new Set(keys)))).toThrow(message("Set"));
    expect(() => serializer.parse(serializer.serialize({ nested: new Map(keys.map((key) => [key, key])) }))).toThrow(
      message("Map"),
    );
  });

  it.each([
    ["numbers one after another", numbered(20_000, (index) => index)],
    ["big integers one after another", numbered(20_000, (index) => BigInt(index))],
    ["multiples of a power of two", numbered(20_000, (index) => index * 2 ** 20)],
    ["times of day", numbered(20_000, (index) => 1_700_000_000_000 + index * 60_000)],
    ["random numbers", numbered(20_000, () => Math.random())],
    ["ids of 64 bits", numbered(20_000, (index) => (BigInt(index * 7919) << 22n) + 4096n)],
    ["texts of numbers", numbered(20_000, (index) => String(index * 65_536))],
    ["objects", numbered(20_000, (index) => ({ index }))],
    ["few that collide", numbered(100, (index) => BigInt(index + 1) << 64n)],
  ])("keys that share a hash in the engine are not seen in honest ones: %s", (_what, keys) => {
    expect(serializer.parse<Set<unknown>>(set(keys)).size).toBe(keys.length);
    expect(serializer.parse<Map<unknown, unknown>>(map(keys)).size).toBe(keys.length);
  });

  it("keys that share a hash in the engine are counted once each, however often they are sent", () => {
    const text = JSON.stringify({ __type: "Set", value: numbered(5000, (index) => index % 3) });

    expect(serializer.parse(text)).toEqual(new Set([0, 1, 2]));
  });
});

/** Numbers that V8 puts into the same of `2 ** bits` places, found the way a stranger would find them. */
function colliding<T extends number | bigint>(count: number, bits: number, make: (index: number) => T): T[] {
  const keys: T[] = [];
  for (let index = 0; keys.length < count; index += 1) {
    const key = make(index);
    if ((hashOf(key) & ((1n << BigInt(bits)) - 1n)) === 0n) keys.push(key);
  }
  return keys;
}

function hashOf(key: number | bigint): bigint {
  if (key === (Number(key) | 0)) return hash32(BigInt.asUintN(32, BigInt(key)));
  const bits = new DataView(new ArrayBuffer(8));
  if (typeof key === "bigint") bits.setBigUint64(0, key);
  else bits.setFloat64(0, key);
  return hash64(bits.getBigUint64(0));
}

function hash32(key: bigint): bigint {
  const cut = (value: bigint): bigint => BigInt.asUintN(32, value);
  let hash = cut(~key + (key << 15n));
  hash ^= hash >> 12n;
  hash = cut(hash + (hash << 2n));
  hash ^= hash >> 4n;
  hash = cut(hash * 2057n);
  return hash ^ (hash >> 16n);
}

function hash64(key: bigint): bigint {
  const cut = (value: bigint): bigint => BigInt.asUintN(64, value);
  let hash = cut(~key + (key << 18n));
  hash ^= hash >> 31n;
  hash = cut(hash * 21n);
  hash ^= hash >> 11n;
  hash = cut(hash + (hash << 6n));
  return hash ^ (hash >> 22n);
}
