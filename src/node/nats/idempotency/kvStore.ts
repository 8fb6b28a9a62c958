import { randomUUID } from "node:crypto";
import type { KV } from "@nats-io/kv";
import type { IdempotencyEntry, IdempotencyStore } from "../../../tunnels/routing/idempotencyStore";
import { brokerOffline } from "../brokerErrors";
import type { NatsLink } from "../link";
import { createBrokerClock } from "./brokerClock";
import { readCall, writeCall, type KvCall } from "./kvEntry";
import { kvKey } from "./kvKey";

/** What a store over a bucket works with. */
export interface KvStoreOptions {
  readonly link: NatsLink;
  /** Opens the bucket; asked again after a failure. */
  readonly open: () => Promise<OpenBucket>;
  /** How long an operation waits for a broker that is away, in ms. */
  readonly offlineMs: number;
}

export interface OpenBucket {
  readonly kv: KV;
  /** How long the broker keeps what is not written again, in ms; 0 for ever. */
  readonly maxAgeMs: number;
}

/** How often a write is tried that others are ahead of; each time one of them has got somewhere. */
const attempts = 20;

/** Beside a reply, a message holds a line, the subject and its headers. */
const overheadBytes = 4_096;
/** Of UTF-8, for a character as strings count them. */
const mostBytesOfCharacter = 3;

interface Found {
  readonly call: KvCall;
  readonly reply: string;
  readonly writtenAt: number;
}

/** A key that this store holds. */
interface Held {
  readonly call: KvCall & { readonly lease: string };
  revision: number;
}

/**
 * Replies in a bucket of NATS. Each write names the revision that it follows, so that of several servers one succeeds. Expiry
 * is checked here: servers before 2.11 ignore a time to live of single keys.
 */
export function createKvStore({ link, open, offlineMs }: KvStoreOptions): IdempotencyStore {
  const held = new Map<string, Held>();
  let opening: Promise<OpenBucket> | undefined;

  /** The bucket may have been deleted: what fails opens it anew the next time. */
  async function withBucket<T>(use: (bucket: OpenBucket) => Promise<T>): Promise<T> {
    // What the library keeps while the broker is away would be sent when it is back, and take a key for a call that was refused.
    if (!link.isOnline && !(await link.whenOnline(offlineMs))) throw brokerOffline(link.servers, offlineMs);
    try {
      return await use(await (opening ??= open()));
    } catch (error) {
      opening = undefined;
      throw error;
    }
  }

  const now = createBrokerClock(() =>
    withBucket(async ({ kv }) => {
      await kv.put(clockKey, "", { timeout: operationMs });
      // Its last entry, whichever server has written it.
      return (await kv.get(clockKey))?.created.getTime() ?? Date.now();
    }),
  );

  async function find(kv: KV, key: string): Promise<{ readonly found?: Found; readonly revision: number }> {
    const entry = await kv.get(key);
    if (entry === null) return { revision: 0 };
    const { revision, created, operation, value } = entry;
    if (operation !== "PUT") return { revision };
    return { revision, found: { ...readCall(value), writtenAt: created.getTime() } };
  }

  /** Writes for the holder of a key. @returns `false` where another one has it */
  async function writeHeld(key: string, isLast: boolean, write: Write): Promise<boolean> {
    const own = held.get(key);
    if (own === undefined) return false;
    const isWritten = await withBucket(async ({ kv }) => {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        try {
          own.revision = await write(kv, own);
          return true;
        } catch (error) {
          if (!isOutrun(error)) throw error;
        }
        const { found, revision } = await find(kv, kvKey(key));
        if (found?.call.lease !== own.call.lease) return false;
        // A write whose acknowledgement was lost, or one that was under way.
        own.revision = revision;
      }
      return false;
    });
    if ((isLast || !isWritten) && held.get(key) === own) held.delete(key);
    return isWritten;
  }

  return {
    get maxReplyChars() {
      return Math.floor((link.maxPayload - overheadBytes) / mostBytesOfCharacter);
    },

    async begin(key, inputHash, { ttlMs, leaseMs }): Promise<IdempotencyEntry> {
      const time = await now();
      const call = { inputHash, lease: randomUUID(), leaseMs, ttlMs };
      return withBucket(async ({ kv, maxAgeMs }) => {
        assertKeepsLongEnough(maxAgeMs, Math.max(ttlMs, leaseMs));
        // Most keys are new.
        let previousSeq = 0;
        for (let attempt = 0; attempt < attempts; attempt += 1) {
          try {
            const revision = await kv.put(kvKey(key), writeCall(call), { previousSeq, timeout: operationMs });
            held.set(key, { call, revision });
            return { state: "new" };
          } catch (error) {
            if (!isOutrun(error)) throw error;
          }
          const { found, revision } = await find(kv, kvKey(key));
          const entry = judge(found, inputHash, time);
          if (entry !== undefined) return entry;
          previousSeq = revision;
        }
        throw new Error(`The key was written by others ${attempts} times in a row.`);
      });
    },

    renew: (key) =>
      writeHeld(key, false, (kv, { call, revision }) =>
        kv.put(kvKey(key), writeCall(call), { previousSeq: revision, timeout: operationMs }),
      ),

    finish: (key, reply) =>
      writeHeld(key, true, (kv, { call, revision }) => {
        const done = writeCall({ ...call, lease: undefined }, reply);
        return kv.put(kvKey(key), done, { previousSeq: revision, timeout: operationMs });
      }),

    async abandon(key) {
      await writeHeld(key, true, async (kv, { revision }) => {
        await kv.delete(kvKey(key), { previousSeq: revision });
        return revision;
      });
    },
  };
}

/** @returns the revision that it made */
type Write = (kv: KV, held: Held) => Promise<number>;

/** No key becomes this. */
const clockKey = "/clock";

/** How long the broker may take for an operation, in ms. */
export const operationMs = 2_000;

/** What is known of a key; `undefined` where it is free. */
function judge(found: Found | undefined, inputHash: string, time: number): IdempotencyEntry | undefined {
  if (found === undefined) return undefined;
  const { call, reply, writtenAt } = found;
  const leaseEnds = call.lease === undefined ? writtenAt : writtenAt + call.leaseMs;
  if (leaseEnds + call.ttlMs <= time) return undefined;
  if (call.inputHash !== inputHash) return { state: "conflict" };
  if (call.lease === undefined) return { state: "done", reply };
  return leaseEnds > time ? { state: "running" } : undefined;
}

/** Whether a write named a revision that is no longer the last one. */
const isOutrun = (error: unknown): boolean => outrun.has((error as { readonly code?: unknown }).code);

/** Codes of the API of JetStream. */
const outrun: ReadonlySet<unknown> = /* @__PURE__ */ new Set([10_071, 10_164]);

function assertKeepsLongEnough(maxAgeMs: number, wantedMs: number): void {
  if (maxAgeMs === 0 || wantedMs <= maxAgeMs) return;
  throw new RangeError(
    `The bucket of idempotency keys forgets after ${maxAgeMs} ms, and a task wants ${wantedMs} ms.\n  fix: set maxTtlMs of natsIdempotencyStore before the bucket is made, or max_age of the bucket.`,
  );
}
