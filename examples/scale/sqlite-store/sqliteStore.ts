/** Replies of calls in a SQLite file, for all server processes of one machine. */
import { randomUUID } from "node:crypto";
import Database from "better-sqlite3";
import type { IdempotencyEntry, IdempotencyStore } from "@bluelibs/runner";

export interface SqliteStoreConfig {
  /** Of the database; made where it is missing. Not on a network drive: SQLite cannot lock it there. */
  readonly path: string;
  /** How long to wait for another process that writes, in ms; then the call is refused with 503. Default 5,000. */
  readonly busyMs?: number | undefined;
}

export interface SqliteStore extends IdempotencyStore, Disposable {}

/** A row is a key. While its call runs, `lease` is the secret of the store that holds it, and `reply` is NULL. */
const schema = `
  CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY NOT NULL,
    input_hash TEXT NOT NULL,
    lease TEXT,
    lease_ms INTEGER NOT NULL,
    lease_ends INTEGER NOT NULL,
    ttl_ms INTEGER NOT NULL,
    forget_at INTEGER NOT NULL,
    reply TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS idempotency_forget_at ON idempotency (forget_at);
`;

interface Row {
  readonly input_hash: string;
  readonly lease_ends: number;
  readonly reply: string | null;
}

/** How many rows whose time is over go with each one that is written. */
const sweptRows = 20;

export function sqliteIdempotencyStore({ path, busyMs = 5_000 }: SqliteStoreConfig): SqliteStore {
  const database = new Database(path, { timeout: busyMs });
  // Readers do not wait for writers; and a reply that was given is on the disk.
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec(schema);

  const find = database.prepare<[string, number], Row>(
    "SELECT input_hash, lease_ends, reply FROM idempotency WHERE key = ? AND forget_at > ?",
  );
  const take = database.prepare(
    `INSERT OR REPLACE INTO idempotency (key, input_hash, lease, lease_ms, lease_ends, ttl_ms, forget_at)
     VALUES (:key, :inputHash, :lease, :leaseMs, :leaseEnds, :ttlMs, :forgetAt)`,
  );
  const sweep = database.prepare(
    "DELETE FROM idempotency WHERE rowid IN (SELECT rowid FROM idempotency WHERE forget_at <= ? LIMIT ?)",
  );
  // A lease that is over is still its holder's, until the row has another one.
  const renew = database.prepare(
    `UPDATE idempotency SET lease_ends = :now + lease_ms, forget_at = :now + lease_ms + ttl_ms
     WHERE key = :key AND lease = :lease`,
  );
  const finish = database.prepare(
    "UPDATE idempotency SET lease = NULL, reply = :reply, forget_at = :now + ttl_ms WHERE key = :key AND lease = :lease",
  );
  const abandon = database.prepare("DELETE FROM idempotency WHERE key = :key AND lease = :lease");

  /** The keys that this store holds, each with the secret in its row. */
  const leases = new Map<string, string>();

  // The write lock comes first: of two processes that read "free" at once, both would write.
  const begin = database.transaction((key: string, inputHash: string, ttlMs: number, leaseMs: number) => {
    const now = Date.now();
    const row = find.get(key, now);
    if (row !== undefined && row.input_hash !== inputHash) return "conflict";
    if (row !== undefined && (row.reply !== null || row.lease_ends > now)) return row;
    const lease = randomUUID();
    const leaseEnds = now + leaseMs;
    take.run({ key, inputHash, lease, leaseMs, leaseEnds, ttlMs, forgetAt: leaseEnds + ttlMs });
    sweep.run(now, sweptRows);
    return { lease };
  }).immediate;

  /** What it throws becomes a rejection. */
  return {
    async begin(key, inputHash, { ttlMs, leaseMs }): Promise<IdempotencyEntry> {
      const found = begin(key, inputHash, ttlMs, leaseMs);
      if (found === "conflict") return { state: "conflict" };
      if ("lease" in found) {
        leases.set(key, found.lease);
        return { state: "new" };
      }
      return found.reply === null ? { state: "running" } : { state: "done", reply: found.reply };
    },
    async renew(key) {
      const lease = leases.get(key);
      if (lease === undefined) return false;
      const isHeld = renew.run({ key, lease, now: Date.now() }).changes === 1;
      if (!isHeld) leases.delete(key);
      return isHeld;
    },
    async finish(key, reply) {
      const lease = leases.get(key);
      if (lease === undefined) return false;
      const isKept = finish.run({ key, lease, reply, now: Date.now() }).changes === 1;
      leases.delete(key);
      return isKept;
    },
    async abandon(key) {
      const lease = leases.get(key);
      if (lease === undefined) return;
      abandon.run({ key, lease });
      leases.delete(key);
    },
    [Symbol.dispose]: () => void database.close(),
  };
}
