/** What the bucket has of a key: a line of JSON, and the reply behind it where there is one. */
export interface KvCall {
  readonly inputHash: string;
  /** A secret of the store that holds the key; absent when the call is done. */
  readonly lease?: string | undefined;
  readonly leaseMs: number;
  readonly ttlMs: number;
}

const version = 1;

/** @param reply of a call that is done */
export const writeCall = (call: KvCall, reply = ""): string => `${JSON.stringify({ ...call, v: version })}\n${reply}`;

/** @throws {TypeError} another program has written it */
export function readCall(value: Uint8Array): { readonly call: KvCall; readonly reply: string } {
  const end = value.indexOf(lineFeed);
  const text = new TextDecoder();
  const call = parse(text.decode(value.subarray(0, Math.max(end, 0))));
  if (call === undefined) throw new TypeError("The bucket of idempotency keys holds what is no entry of one.");
  return { call, reply: text.decode(value.subarray(end + 1)) };
}

const lineFeed = 10;

function parse(line: string): KvCall | undefined {
  try {
    const { v, inputHash, lease, leaseMs, ttlMs } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const isEntry = v === version && typeof inputHash === "string" && isMs(leaseMs) && isMs(ttlMs);
    if (!isEntry || (lease !== undefined && typeof lease !== "string")) return undefined;
    return { inputHash, lease, leaseMs, ttlMs };
  } catch {
    return undefined;
  }
}

const isMs = (value: unknown): value is number => typeof value === "number" && value >= 0;
