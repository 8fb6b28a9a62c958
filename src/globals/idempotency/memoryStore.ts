import type { IdempotencyEntry, IdempotencyStore } from "../../tunnels/routing/idempotencyStore";
import { loadLruCache } from "../lruCache";

/** How much a memory store keeps. */
export interface MemoryIdempotencyStoreConfig {
  /** Most memory for replies, in bytes, by the length of their text. Default 64 MiB. Beyond it the oldest are forgotten. */
  readonly maxBytes?: number | undefined;
}

interface Remembered {
  readonly inputHash: string;
  readonly reply: string;
}

interface Running {
  readonly inputHash: string;
  leaseMs: number;
  expiresAt: number;
  readonly ttlMs: number;
}

/** As much of a cache as this needs. */
interface Replies {
  get(key: string): Remembered | undefined;
  set(key: string, value: Remembered, options: { readonly ttl: number }): unknown;
}

/** What an entry takes beside its texts, in bytes. */
const entryBytes = 200;

/**
 * Remembers replies in the memory of this process: for one server, and for tests. What is running is never forgotten to make room.
 */
export function memoryIdempotencyStore({ maxBytes = 67_108_864 }: MemoryIdempotencyStoreConfig = {}): IdempotencyStore {
  const running = new Map<string, Running>();
  let opening: Promise<Replies> | undefined;
  const open = () =>
    (opening ??= loadLruCache().then(
      ({ LRUCache: Cache }) =>
        new Cache<string, Remembered>({
          maxSize: maxBytes,
          sizeCalculation: ({ inputHash, reply }, key) =>
            2 * (key.length + inputHash.length + reply.length) + entryBytes,
        }),
    ));

  return {
    maxReplyChars: Math.min(1_000_000, Math.floor((maxBytes - entryBytes - 2_048) / 2)),
    async begin(key, inputHash, { ttlMs, leaseMs }): Promise<IdempotencyEntry> {
      const done = await open();
      const now = performance.now();
      const held = running.get(key);
      if (held !== undefined && held.expiresAt > now) {
        return { state: held.inputHash === inputHash ? "running" : "conflict" };
      }
      const known = held === undefined ? done.get(key) : undefined;
      if (known !== undefined) {
        return known.inputHash === inputHash ? { state: "done", reply: known.reply } : { state: "conflict" };
      }
      running.set(key, { inputHash, leaseMs, ttlMs, expiresAt: now + leaseMs });
      return { state: "new" };
    },
    async renew(key) {
      const held = running.get(key);
      if (held === undefined) return false;
      held.expiresAt = performance.now() + held.leaseMs;
      return true;
    },
    async finish(key, reply) {
      const held = running.get(key);
      if (held === undefined) return;
      const done = await open();
      running.delete(key);
      done.set(key, { inputHash: held.inputHash, reply }, { ttl: held.ttlMs });
    },
    async abandon(key) {
      running.delete(key);
    },
  };
}
