import {
  idempotencyBusyError,
  idempotencyConflictError,
  idempotencyLeaseLostError,
  idempotencyUnavailableError,
  idempotencyUnsupportedError,
} from "../../errors/idempotencyErrors";
import { withFrameworkErrors } from "../../errors/knownErrors";
import type { ITask } from "../../define/task";
import { hexOf } from "../../lib/hex";
import { linkSignals } from "../../lib/linkSignals";
import { onAbort } from "../../lib/onAbort";
import { settleOrAbort } from "../../lib/settleOrAbort";
import type { MaybePromise } from "../../lib/typeLevel";
import { streamKindOf } from "../../lib/streamKind";
import { findFiles } from "../../tunnels/files/findFiles";
import { idempotent } from "../../tunnels/routing/idempotency";
import type { IdempotencyEntry, IdempotencyStore } from "../../tunnels/routing/idempotencyStore";
import { assertKeyed, idempotencyId, type Idempotency, type OnceCall } from "../../tunnels/server/runOnce";
import { readStreamResult } from "../../tunnels/server/streamResult";
import { frameworkResource } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";
import { serializer as serializerOf } from "../resources/serializer";
import type { PresetScope } from "../../runtime/run/presets";
import { holdKey } from "./heldKey";
import { readEntry } from "./readEntry";
import { createReplyKeeper, waitFor, type Keeping } from "./replyKeeper";
import { memoryIdempotencyStore } from "./memoryStore";
import { createReplyCodec, type Outcome } from "./rememberedReply";

/** How long a key is held without a sign of life of its server, in ms. */
const defaultLeaseMs = 15_000;
/** How long a call waits before it asks again whether another server has finished, in ms. */
const firstPollMs = 50;
const longestPollMs = 1_000;
const dayMs = 86_400_000;
const defaultReplyChars = 1_000_000;
/** Most calls of this process that wait for one run. */
const mostWaiting = 1_000;

/** One run for all calls of this process that have its key. */
interface Flight {
  /** Compared as it is: hashing takes a turn of the event loop, in which the last caller that waits may leave. */
  readonly inputText: string;
  readonly outcome: Promise<Outcome>;
  /** Settles when the key is free for the next call; never rejects. */
  readonly landed: Promise<void>;
  readonly controller: AbortController;
  waiting: number;
}

/** What came of a run, and what is still under way for it. */
interface Landing extends Keeping {
  readonly outcome: Outcome;
}

interface KeyedRuns extends Idempotency {
  /** Of callers of this process. */
  readonly runKeyed: Parameters<PresetScope["keyCalls"]>[0];
}

/** Keeps calls of a run from running twice. */
function createIdempotency({ store: container, logger, valueOf, onEnding }: PresetScope): KeyedRuns {
  const serializer = valueOf(serializerOf);
  const replies = createReplyCodec(serializer, withFrameworkErrors(container.errors));
  const flights = new Map<IdempotencyStore, Map<string, Flight>>();
  const ending = new AbortController();
  onEnding(() => {
    ending.abort(new Error("The run is being disposed of."));
    for (const known of flights.values())
      for (const { controller } of known.values()) controller.abort(ending.signal.reason);
  });
  let memory: IdempotencyStore | undefined;
  const kept = createReplyKeeper(logger, ending.signal);

  function storeOf(task: ITask): IdempotencyStore {
    const { store } = idempotent.extract(task) ?? {};
    if (store === undefined) return (memory ??= memoryIdempotencyStore());
    if ("begin" in store) return store;
    const value = container.resources.get(store.id)?.value as IdempotencyStore | undefined;
    if (value === undefined) throw idempotencyUnavailableError.create({ taskId: task.id });
    return value;
  }

  /** Takes the key, or waits until the call that has it is over. */
  async function begin(store: IdempotencyStore, key: string, flight: Waiting): Promise<IdempotencyEntry> {
    const { task, inputHash, signal } = flight;
    const { ttlMs, leaseMs } = timesOf(task);
    for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
      signal.throwIfAborted();
      let entry: IdempotencyEntry;
      try {
        entry = readEntry(await store.begin(key, inputHash, { ttlMs, leaseMs }));
      } catch (error) {
        void logger.error("idempotency.unavailable", { error, data: { id: task.id } });
        throw idempotencyUnavailableError.create({ taskId: task.id });
      }
      if (entry.state !== "running") return entry;
      await waitFor(pollMs * (0.5 + Math.random() / 2), signal);
    }
  }

  /** Runs a task for its key, or gets what came of another run of it. */
  async function lead(key: string, store: IdempotencyStore, flight: Waiting): Promise<Landing> {
    const { task, start, signal } = flight;
    const known = await begin(store, key, flight);
    if (known.state === "conflict") throw idempotencyConflictError.create({ taskId: task.id });
    if (known.state === "done") return { outcome: replies.read(known.reply) };
    const held = holdKey(store, key, {
      leaseMs: timesOf(task).leaseMs,
      reasonOfLoss: () => idempotencyLeaseLostError.create({ taskId: task.id }),
      onFailed: (error) => void logger.warn("idempotency.renew.failed", { error, data: { id: task.id } }),
    });
    const both = linkSignals([signal, held.lost]);
    try {
      const running = outcomeOf(task, start(both.signal));
      const outcome = await Promise.resolve(settleOrAbort(running, held.lost)).catch(() => undefined);
      if (outcome !== undefined) {
        const text = replies.write(outcome, task.id, store.maxReplyChars ?? defaultReplyChars);
        if (text === undefined) {
          await kept.forget(store, key, task);
          return { outcome };
        }
        const keeping = await kept.keep({ store, key, text, task, times: timesOf(task) });
        if (keeping !== "lost") return { outcome, ...keeping };
      }
    } finally {
      both.release();
      held.release();
    }
    void logger.warn("idempotency.leaseLost", { data: { id: task.id } });
    return { outcome: await follow(key, store, flight) };
  }

  /** What came of the run that was given the key of one that had it. The own one was aborted, or may not be remembered. */
  async function follow(key: string, store: IdempotencyStore, flight: Waiting): Promise<Outcome> {
    const taskId = flight.task.id;
    const entry = await begin(store, key, flight).catch((error: unknown) => {
      throw flight.signal.aborted ? error : idempotencyLeaseLostError.create({ taskId });
    });
    if (entry.state === "done") return replies.read(entry.reply);
    // The other one gave it up; whether this call is to be made once more is for its caller to say.
    if (entry.state === "new") await kept.forget(store, key, flight.task);
    throw idempotencyLeaseLostError.create({ taskId });
  }

  async function run(call: OnceCall, task: ITask, start: Waiting["start"]): Promise<unknown> {
    const store = storeOf(task);
    const key = JSON.stringify([call.taskId, call.caller ?? null, call.key]);
    const inputText = textOf(call.input, task);
    let known = flights.get(store);
    if (known === undefined) flights.set(store, (known = new Map()));
    let flight = known.get(key);
    // One that was given up is not joined: its outcome is that it was.
    while (flight !== undefined && flight.controller.signal.aborted && !ending.signal.aborted) {
      await waitedFor(flight.landed, call.signals);
      flight = known.get(key);
    }
    const isJoined = flight !== undefined;
    if (flight === undefined) {
      const controller = new AbortController();
      const { signal } = controller;
      const landing = hashOf(inputText).then((inputHash) => lead(key, store, { task, start, inputHash, signal }));
      const outcome = landing.then((landed) => landed.outcome);
      const byKey = known;
      const landed = landing
        .then(({ kept }) => kept)
        .catch(() => {})
        .finally(() => byKey.delete(key));
      known.set(key, (flight = { inputText, outcome, landed, controller, waiting: 0 }));
    } else if (flight.inputText !== inputText) {
      throw idempotencyConflictError.create({ taskId: task.id });
    } else if (flight.waiting >= mostWaiting) {
      throw idempotencyBusyError.create({ taskId: task.id, limit: mostWaiting });
    }
    const { value, error, isReplay } = await join(flight, call, ending.signal);
    if (isJoined || isReplay) call.onReplayed?.();
    if (error !== undefined) throw error.thrown;
    return value;
  }

  function textOf(input: unknown, { id }: ITask): string {
    try {
      if (streamKindOf(input) === undefined && findFiles(input).length === 0)
        return serializer.stringify(input ?? null);
    } catch {
      // It holds what cannot be sent, or written.
    }
    throw idempotencyUnsupportedError.create({
      taskId: id,
      reason: "its input is not text alone: files and streams are none",
    });
  }

  return {
    run,
    async runKeyed({ task, input, idempotencyKey: key, scope, hasItems }, start) {
      if (idempotent.extract(task)?.key !== undefined) return start(undefined);
      assertKeyed(task, { key, hasItems });
      return run({ taskId: task.id, caller: scope?.caller?.name, key, input, signals: [scope?.signal] }, task, start);
    },
  };
}

const timesOf = (task: ITask): { readonly ttlMs: number; readonly leaseMs: number } => {
  const { ttlMs = dayMs, leaseMs = defaultLeaseMs } = idempotent.extract(task) ?? {};
  return { ttlMs, leaseMs };
};

const outcomeOf = (task: ITask, running: Promise<unknown>): Promise<Outcome> =>
  running.then(
    (value): Outcome =>
      typeof value === "object" && value !== null && (streamKindOf(value) ?? readStreamResult(value)) !== undefined
        ? { isReplay: false, error: { thrown: streamed(task.id) } }
        : { isReplay: false, value },
    (thrown: unknown): Outcome => ({ isReplay: false, error: { thrown } }),
  );

/** A call that waits for its turn, or runs. */
interface Waiting {
  readonly task: ITask;
  readonly inputHash: string;
  readonly start: (signal: AbortSignal) => Promise<unknown>;
  readonly signal: AbortSignal;
}

/** Waits for a run, which goes on while any of its calls waits: the last one to leave aborts it. */
async function join(flight: Flight, { signals }: OnceCall, ending: AbortSignal): Promise<Outcome> {
  flight.waiting += 1;
  const stops: (() => void)[] = [];
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      flight.outcome.then(resolve, reject);
      for (const signal of signals) if (signal) stops.push(onAbort(signal, () => reject(signal.reason as Error)));
    });
  } finally {
    for (const stop of stops) stop();
    flight.waiting -= 1;
    if (flight.waiting === 0) flight.controller.abort(ending.aborted ? ending.reason : abandoned(signals));
  }
}

/** Waits for something, unless the call is given up. */
const waitedFor = <T>(work: Promise<T>, signals: OnceCall["signals"]): MaybePromise<T> =>
  signals.reduce<MaybePromise<T>>((waiting, signal) => settleOrAbort(waiting, signal), work);

const abandoned = (signals: OnceCall["signals"]): unknown => signals.find((signal) => signal?.aborted === true)?.reason;

const streamed = (taskId: string): Error =>
  idempotencyUnsupportedError.create({ taskId, reason: "it replied with a stream, which was not sent" });

/** Where there is no digest, as in a page that came over plain HTTP, the text stands for itself. */
async function hashOf(text: string): Promise<string> {
  const subtle = (globalThis.crypto as Partial<Crypto> | undefined)?.subtle;
  if (subtle === undefined) return `=${text}`;
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(text));
  return hexOf(new Uint8Array(digest));
}

/** Registered in every run; bundles that do not refer to it leave it out. */
export const idempotency = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ frameworkResource<Idempotency>(idempotencyId, {
    atBoot: true,
    value(scope) {
      let made: KeyedRuns | undefined;
      const keyedRuns = (): KeyedRuns => (made ??= createIdempotency(scope)); // few runs have keys
      scope.keyCalls((...call) => keyedRuns().runKeyed(...call));
      return { run: (...call) => keyedRuns().run(...call) };
    },
  }),
);
