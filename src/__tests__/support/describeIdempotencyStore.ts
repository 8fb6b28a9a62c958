import { setTimeout as pause } from "node:timers/promises";
import type { IdempotencyEntry, IdempotencyStore } from "../../node/index";

/** Two stores over the same keys, as two servers have them. */
export interface StorePair extends AsyncDisposable {
  readonly first: IdempotencyStore;
  readonly second: IdempotencyStore;
}

/** What a store is, for the suite. */
export interface StoreSuite {
  /** Asked once, before the tests. */
  readonly open: () => Promise<StorePair>;
  /** Whether `first` and `second` are one object, which cannot lose a key to itself. Default false. */
  readonly isOneHolder?: boolean | undefined;
  /** After how long at the most a lease or a time of 1 ms is over for both, in ms. Default 20. */
  readonly settleMs?: number | undefined;
}

const dayMs = 86_400_000;
/** Longer than any test takes. */
const held = { ttlMs: dayMs, leaseMs: 600_000 };
const [hash, otherHash] = ["a".repeat(64), "b".repeat(64)];

/** Keys that a store takes for one another, or for something else, where it stores or compares them carelessly. */
const hostileKeys: readonly string[] = [
  "",
  " ",
  "k",
  "K",
  "k ",
  " k",
  "k\u0000",
  "k\u0000k",
  "k\nk",
  "%",
  "k%",
  "k_",
  "k?",
  "*",
  ">",
  "k.k",
  "..",
  ".k.",
  "../k",
  "k/k",
  "k=",
  "=k",
  "\\",
  "\\u006b",
  "%6B",
  "'; DROP TABLE idempotency; --",
  '"k"',
  "$1",
  ":key",
  "null",
  "__proto__",
  "constructor",
  "\u00e9",
  "e\u0301",
  "\u{1f511}",
  "\uffff",
  "x".repeat(1_000),
  `${"x".repeat(999)}y`,
];

/** What every store does, whatever it is over; for each store, once. */
export function describeIdempotencyStore(name: string, { open, isOneHolder = false, settleMs = 20 }: StoreSuite): void {
  describe(name, () => {
    let pair: StorePair;
    let first: IdempotencyStore;
    let second: IdempotencyStore;
    let count = 0;
    const newKey = (): string => `["task","caller","key-${(count += 1)}"]`;
    const others = (key: string) => Promise.all([first, second].map((store) => store.begin(key, hash, held)));
    /** A key whose lease was let go by. */
    const lostKey = async (): Promise<string> => {
      const key = newKey();
      expect(await first.begin(key, hash, { ttlMs: dayMs, leaseMs: 1 })).toEqual({ state: "new" });
      await pause(settleMs);
      return key;
    };

    beforeAll(async () => {
      pair = await open();
      ({ first, second } = pair);
    });
    afterAll(() => pair?.[Symbol.asyncDispose]());

    it("the first begin of a key gets it, and it is running for all that come then", async () => {
      const key = newKey();

      const states = [await first.begin(key, hash, held), ...(await others(key))];

      expect(states).toEqual([{ state: "new" }, { state: "running" }, { state: "running" }]);
    });

    it("a reply is remembered for all, as it was written", async () => {
      const replies = ["", "null", '{"ok":true}', "\u0000\n'\"\\%\u{1f511}\uffff", "constructor"];
      const keys = replies.map(newKey);

      for (const [index, key] of keys.entries()) {
        await first.begin(key, hash, held);
        expect(await first.finish(key, replies[index] as string)).not.toBe(false);
      }

      for (const [index, key] of keys.entries()) {
        const entry = { state: "done", reply: replies[index] };
        expect(await others(key)).toEqual([entry, entry]);
      }
    });

    it("a reply as long as the store says it keeps is remembered", async () => {
      const key = newKey();
      // The worst case: characters that take the most bytes, and the most when they are escaped.
      const reply = "\u0001\uffff".repeat((first.maxReplyChars ?? 1_000_000) / 2);

      await first.begin(key, hash, held);
      await first.finish(key, reply);
      const entry = await second.begin(key, hash, held);

      expect([entry.state, entry.reply === reply]).toEqual(["done", true]);
    });

    it("a key that comes with another input is a conflict while its call runs, and when it is done", async () => {
      const key = newKey();

      await first.begin(key, hash, held);
      const whileRunning = await second.begin(key, otherHash, held);
      await first.finish(key, "reply");
      const whenDone = await second.begin(key, otherHash, held);

      expect([whileRunning, whenDone]).toEqual([{ state: "conflict" }, { state: "conflict" }]);
      expect(await second.begin(key, hash, held)).toEqual({ state: "done", reply: "reply" });
    });

    it("of calls that begin a key at once, through both stores, one gets it", async () => {
      const keys = Array.from({ length: 20 }, newKey);
      const beginAll = (key: string): Promise<IdempotencyEntry[]> =>
        Promise.all(Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? first : second).begin(key, hash, held)));

      const entries = await Promise.all(keys.map(beginAll));

      const expected = ["new", ...Array.from({ length: 7 }, () => "running")];
      for (const ofKey of entries) expect(ofKey.map(({ state }) => state).sort()).toEqual(expected);
    });

    it("a key that was abandoned is free again, for any input", async () => {
      const key = newKey();

      await first.begin(key, hash, held);
      await first.abandon(key);
      const again = await second.begin(key, otherHash, held);
      await second.abandon(key);

      expect([again, await first.begin(key, hash, held)]).toEqual([{ state: "new" }, { state: "new" }]);
    });

    it("a key that is not held is not renewed, and finishing or abandoning it does nothing", async () => {
      const [unknown, finished, abandoned] = [newKey(), newKey(), newKey()];
      for (const key of [finished, abandoned]) await first.begin(key, hash, held);
      await first.finish(finished, "reply");
      await first.abandon(abandoned);

      for (const key of [unknown, finished, abandoned]) {
        expect(await first.renew(key)).toBe(false);
        expect(await first.finish(key, "other")).not.toBe(true);
        await first.abandon(key);
      }

      const entries = await Promise.all([unknown, finished, abandoned].map((key) => second.begin(key, hash, held)));
      expect(entries).toEqual([{ state: "new" }, { state: "done", reply: "reply" }, { state: "new" }]);
    });

    it("a key whose lease is over goes to one of those that begin it then", async () => {
      const key = await lostKey();

      const entries = [...(await others(key)), ...(await others(key))];

      expect(entries.map(({ state }) => state).sort()).toEqual(["new", "running", "running", "running"]);
    });

    it("a key whose lease is over still belongs to its input", async () => {
      const key = await lostKey();

      expect(await second.begin(key, otherHash, held)).toEqual({ state: "conflict" });
      expect(await second.begin(key, hash, held)).toEqual({ state: "new" });
    });

    it("a key whose lease is over is finished, or renewed, as long as it was not given away", async () => {
      const [late, renewed] = [await lostKey(), await lostKey()];

      expect(await first.finish(late, "late")).not.toBe(false);
      expect(await first.renew(renewed)).toBe(true);

      expect(await second.begin(late, hash, held)).toEqual({ state: "done", reply: "late" });
    });

    it("renewing a key holds it for its lease again", async () => {
      const leaseMs = 300 + settleMs;
      // A machine that stands still for longer than the lease says nothing: then once more.
      for (;;) {
        const key = newKey();
        await first.begin(key, hash, { ttlMs: dayMs, leaseMs });
        await pause(leaseMs + settleMs);
        const renewedAt = performance.now();
        const isRenewed = await first.renew(key);
        const entry = await second.begin(key, hash, held);
        if (performance.now() - renewedAt > leaseMs - settleMs) continue;
        expect([isRenewed, entry]).toEqual([true, { state: "running" }]);
        return;
      }
    });

    it("a reply is forgotten when its time is over, and its key is free for any input", async () => {
      const key = newKey();

      await first.begin(key, hash, { ttlMs: 1, leaseMs: 600_000 });
      await first.finish(key, "reply");
      await pause(settleMs);

      expect(await second.begin(key, otherHash, held)).toEqual({ state: "new" });
      expect(await first.begin(key, otherHash, held)).toEqual({ state: "running" });
    });

    it("the time of a reply counts from the end of its call", async () => {
      const ttlMs = 300 + settleMs;
      // As above.
      for (;;) {
        const key = newKey();
        await first.begin(key, hash, { ttlMs, leaseMs: 600_000 });
        await pause(ttlMs + settleMs);
        const finishedAt = performance.now();
        await first.finish(key, "reply");
        const entry = await second.begin(key, hash, held);
        if (performance.now() - finishedAt > ttlMs - settleMs) continue;
        expect(entry).toEqual({ state: "done", reply: "reply" });
        return;
      }
    });

    it("keys are told apart, whatever characters they are made of", async () => {
      for (const [index, key] of hostileKeys.entries()) {
        expect([key, await first.begin(key, hash, held)]).toEqual([key, { state: "new" }]);
        await first.finish(key, `reply ${index}`);
      }

      const entries = await Promise.all(hostileKeys.map((key) => second.begin(key, hash, held)));
      expect(entries).toEqual(hostileKeys.map((_, index) => ({ state: "done", reply: `reply ${index}` })));
    });

    if (isOneHolder) return;

    it("who lost a key to another can neither renew, nor finish, nor abandon it", async () => {
      const key = await lostKey();

      expect(await second.begin(key, hash, held)).toEqual({ state: "new" });
      expect(await first.renew(key)).toBe(false);
      expect(await first.finish(key, "of the first")).not.toBe(true);
      await first.abandon(key);
      const whileRunning = await others(key);
      await second.finish(key, "of the second");
      await first.finish(key, "of the first, late");
      await first.abandon(key);

      expect(whileRunning).toEqual([{ state: "running" }, { state: "running" }]);
      const done = { state: "done", reply: "of the second" };
      expect(await others(key)).toEqual([done, done]);
    });

    it("who lost a key to another that abandoned it does not hold it again", async () => {
      const key = await lostKey();

      await second.begin(key, hash, held);
      await second.abandon(key);

      expect(await first.renew(key)).toBe(false);
      expect(await first.finish(key, "late")).not.toBe(true);
      expect(await second.begin(key, hash, held)).toEqual({ state: "new" });
    });

    it("who was given a key again holds it, and not for the call that lost it", async () => {
      const key = await lostKey();

      await second.begin(key, hash, { ttlMs: dayMs, leaseMs: 1 });
      await pause(settleMs);

      expect(await first.begin(key, hash, held)).toEqual({ state: "new" });
      expect([await second.renew(key), await first.renew(key)]).toEqual([false, true]);
    });
  });
}
