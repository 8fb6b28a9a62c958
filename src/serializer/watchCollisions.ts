import { serializerError } from "./serializerError";

/** Fewer keys cannot take long, however they are chosen. */
const harmlessKeys = 128;
/** Comparisons a key may take on average; keys that were not chosen for it take less than one. */
const comparisonsPerKey = 16;

/**
 * Refuses keys that were chosen to make a map or a set slow.
 *
 * V8 hashes numbers and big integers without a seed, so a peer can work out keys that share a place, and each of them
 * is then compared with all others there. Counts these comparisons as V8 makes them. Texts are hashed with a seed, and
 * objects by a random number.
 *
 * @param count how many keys there are at most
 * @returns is given each key once
 * @throws {SerializerError} (from what is returned) far more comparisons than keys
 */
export function watchCollisions(type: string, count: number): (key: unknown) => void {
  if (count <= harmlessKeys) return () => {};
  const places = new Uint32Array(2 ** Math.ceil(Math.log2(count)));
  const bits = new DataView(new ArrayBuffer(8));
  let comparisons = 0;
  return (key) => {
    if (typeof key === "number") bits.setFloat64(0, key);
    else if (typeof key === "bigint") bits.setBigUint64(0, key);
    else return;
    const isSmall = key === (Number(key) | 0);
    const hash = isSmall ? hash32(key) : hash64(bits.getBigUint64(0));
    const place = hash & (places.length - 1);
    comparisons += places[place]!;
    places[place]! += 1;
    if (comparisons > comparisonsPerKey * count) {
      throw serializerError("INVALID_PAYLOAD", `Invalid ${type} payload: too many keys share a hash`);
    }
  };
}

/** `ComputeUnseededHash` of V8, for numbers that are 32-bit integers. */
function hash32(key: number): number {
  let hash = ~key + (key << 15);
  hash ^= hash >>> 12;
  hash += hash << 2;
  hash ^= hash >>> 4;
  hash = Math.imul(hash, 2057);
  return hash ^ (hash >>> 16);
}

/** `ComputeLongHash` of V8, for the bits of every other number and the lowest 64 of a big integer. */
function hash64(bits: bigint): number {
  let hash = BigInt.asUintN(64, ~bits + (bits << 18n));
  hash ^= hash >> 31n;
  hash = BigInt.asUintN(64, hash * 21n);
  hash ^= hash >> 11n;
  hash = BigInt.asUintN(64, hash * 65n);
  hash ^= hash >> 22n;
  return Number(BigInt.asIntN(32, hash));
}
