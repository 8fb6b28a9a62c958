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
  readonly leaseMs: number;
  readonly ttlMs: number;
  expiresAt: number;
}

/** As much of a cache as this needs. */
interface Replies {
  get(key: string): Remembered | undefined;
  set(key: string, value: Remembered, options: { readonly ttl: number }): unknown;
}

/** What an entry takes beside its texts, in bytes. */
const entryBytes = 200;

/** From how many held keys on those are looked for whose lease is over. */
const firstSweep = 1_000;

const memoryStores = /* @__PURE__ */ new WeakSet<object>();

/** Whether a store is one of those below: what it remembers, no other process knows. */
export const isMemoryStore = (store: object): boolean => memoryStores.has(store);

/**
 * Remembers replies in the memory of this process: for one server, and for tests. What is running is never forgotten to make room.
 */
export function memoryIdempotencyStore({ maxBytes = 67_108_864 }: MemoryIdempotencyStoreConfig = {}): IdempotencyStore {
  const running = new Map<string, Running>();
  let sweepAt = firstSweep;
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

  /** Forgets what was begun and neither finished nor abandoned. */
  function sweep(now: number): void {
    if (running.size < sweepAt) return;
    for (const [key, { expiresAt }] of running) if (expiresAt <= now) running.delete(key);
    sweepAt = Math.max(firstSweep, 2 * running.size);
  }

  const store: IdempotencyStore = {
    maxReplyChars: Math.min(1_000_000, Math.floor((maxBytes - entryBytes - 2_048) / 2)),
    async begin(key, inputHash, { ttlMs, leaseMs }): Promise<IdempotencyEntry> {
      const done = await open();
      const now = performance.now();
      const known = running.get(key) ?? done.get(key);
      if (known !== undefined && known.inputHash !== inputHash) return { state: "conflict" };
      if (known !== undefined && "reply" in known) return { state: "done", reply: known.reply };
      if (known !== undefined && known.expiresAt > now) return { state: "running" };
      sweep(now);
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
      const done = await open();
      const held = running.get(key);
      if (held === undefined) return false;
      running.delete(key);
      done.set(key, { inputHash: held.inputHash, reply }, { ttl: held.ttlMs });
      return true;
    },
    async abandon(key) {
      running.delete(key);
    },
  };
  memoryStores.add(store);
  return store;
}
