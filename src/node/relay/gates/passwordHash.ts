import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** A password as it is stored: scrypt (RFC 7914), with its parameters. */
interface PasswordHash {
  /** Binary logarithm of the cost. */
  readonly costLog: number;
  readonly blockSize: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 16 MiB and some 50 ms for each attempt. */
const usual = { costLog: 14, blockSize: 8, parallelism: 1 } as const;
const hashBytes = 32;

/** Longest password that is looked at, in characters. */
export const maxPasswordLength = 1_024;

/**
 * Hashes a password for `globals.tunnelGates.password`, so that configurations need not hold the password.
 *
 * @returns the PHC form, `$scrypt$ln=14,r=8,p=1$<salt>$<hash>`
 */
export async function hashTunnelPassword(password: string): Promise<string> {
  const { costLog, blockSize, parallelism, salt, hash } = await hashPassword(password);
  return `$scrypt$ln=${costLog},r=${blockSize},p=${parallelism}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** With a salt of its own. */
export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16);
  return { ...usual, salt, hash: await derive(password, { ...usual, salt }, hashBytes) };
}

export const isPasswordHash = (text: string): boolean => text.startsWith("$scrypt$");

/** @returns `undefined` where it is no hash, or one that costs too much or too little */
export function readPasswordHash(text: string): PasswordHash | undefined {
  const [, ln, r, p, salt = "", hash = ""] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,88})\$([A-Za-z0-9+/]{22,88})$/.exec(text) ?? [];
  const read = { costLog: Number(ln), blockSize: Number(r), parallelism: Number(p) };
  const { costLog, blockSize, parallelism } = read;
  const isAffordable =
    costLog >= 10 && costLog <= 17 && blockSize >= 1 && blockSize <= 16 && parallelism >= 1 && parallelism <= 4;
  if (!isAffordable) return undefined;
  return { ...read, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
}

/** In a time that does not depend on where they differ. */
export async function isPassword(presented: string, known: PasswordHash): Promise<boolean> {
  const hash = await derive(presented, known, known.hash.length);
  return timingSafeEqual(hash, known.hash);
}

function derive(
  password: string,
  { costLog, blockSize, parallelism, salt }: Omit<PasswordHash, "hash">,
  bytes: number,
): Promise<Buffer> {
  const N = 2 ** costLog;
  const options = { N, r: blockSize, p: parallelism, maxmem: 256 * N * blockSize };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, bytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

const unpadded = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
