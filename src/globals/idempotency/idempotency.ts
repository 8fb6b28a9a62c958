import { helperIdOf, isRunnerError } from "../../errors/defineError";
import {
  idempotencyConflictError,
  idempotencyReplyLostError,
  idempotencyUnavailableError,
  idempotencyUnsupportedError,
} from "../../errors/idempotencyErrors";
import { withFrameworkErrors } from "../../errors/knownErrors";
import type { ITask } from "../../define/task";
import { onAbort } from "../../lib/onAbort";
import { streamKindOf } from "../../lib/streamKind";
import { idempotent } from "../../tunnels/routing/idempotency";
import type { IdempotencyEntry, IdempotencyStore } from "../../tunnels/routing/idempotencyStore";
import { idempotencyId, type Idempotency, type OnceCall } from "../../tunnels/server/runOnce";
import { readStreamResult } from "../../tunnels/server/streamResult";
import { frameworkResource } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";
import { serializer as serializerOf } from "../resources/serializer";
import type { PresetScope } from "../../runtime/run/presets";
import { memoryIdempotencyStore } from "./memoryStore";

/** How long a key is held without a sign of life of its server, in ms, and how often there is one. */
const leaseMs = 15_000;
const renewMs = 5_000;
/** How long a call waits before it asks again whether another server has finished, in ms. */
const firstPollMs = 50;
const longestPollMs = 1_000;
const dayMs = 86_400_000;
const defaultReplyChars = 1_000_000;

/** One run for all calls of this process that have its key. */
interface Flight {
  readonly inputHash: string;
  readonly outcome: Promise<Outcome>;
  readonly controller: AbortController;
  waiting: number;
}

/** How a run ended; an error that is thrown again is one of these. */
interface Outcome {
  readonly isReplay: boolean;
  readonly value?: unknown;
  readonly error?: { readonly thrown: unknown };
}

/** Keeps calls of a run from running twice. */
function createIdempotency({ store: container, logger, valueOf, onEnding }: PresetScope): Idempotency {
  const serializer = valueOf(serializerOf);
  const errors = withFrameworkErrors(container.errors);
  const flights = new Map<IdempotencyStore, Map<string, Flight>>();
  const ending = new AbortController();
  onEnding(() => {
    ending.abort(new Error("The run is being disposed of."));
    for (const known of flights.values())
      for (const { controller } of known.values()) controller.abort(ending.signal.reason);
  });
  let memory: IdempotencyStore | undefined;

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
    const { ttlMs = dayMs } = idempotent.extract(task) ?? {};
    for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
      signal.throwIfAborted();
      let entry: IdempotencyEntry;
      try {
        entry = await store.begin(key, inputHash, { ttlMs, leaseMs });
      } catch (error) {
        void logger.error("idempotency.unavailable", { error, data: { id: task.id } });
        throw idempotencyUnavailableError.create({ taskId: task.id });
      }
      if (entry.state !== "running") return entry;
      await waitFor(pollMs * (0.5 + Math.random() / 2), signal);
    }
  }

  function read(reply: string | undefined): Outcome {
    const { ok, result, error } = serializer.parse<Remembered>(reply ?? "");
    if (ok === true) return { isReplay: true, value: result };
    const helper = errors.get(error?.id ?? "");
    if (helper?.create === undefined) throw new Error(`The remembered error "${error?.id}" is not registered here.`);
    return { isReplay: true, error: { thrown: helper.create(error?.data) } };
  }

  /** The reply to remember; `undefined` where the call counts as not made. */
  function write(outcome: Outcome, { id }: ITask, limitChars: number): string | undefined {
    const { error, value } = outcome;
    const failure = (thrown: { readonly id?: string | undefined; readonly data?: unknown }) =>
      serializer.stringify({ ok: false, error: { id: thrown.id, data: thrown.data } });
    if (error !== undefined) {
      const { thrown } = error;
      return isRunnerError(thrown) && errors.get(helperIdOf(thrown))?.is(thrown) === true ? failure(thrown) : undefined;
    }
    const lost = (reason: string) => failure(idempotencyReplyLostError.create({ taskId: id, reason }));
    try {
      const text = serializer.stringify({ ok: true, result: value });
      return text.length <= limitChars ? text : lost(`it is longer than ${limitChars} characters`);
    } catch {
      return lost("it cannot be written as text");
    }
  }

  async function lead(key: string, store: IdempotencyStore, flight: Waiting): Promise<Outcome> {
    const { task, start, signal } = flight;
    const { state, reply } = await begin(store, key, flight);
    if (state === "conflict") throw idempotencyConflictError.create({ taskId: task.id });
    if (state === "done") return read(reply);
    const renewing = setInterval(() => {
      store
        .renew(key)
        .catch((error: unknown) => logger.warn("idempotency.renew.failed", { error, data: { id: task.id } }));
    }, renewMs);
    try {
      const outcome = await start(signal).then(
        (value): Outcome =>
          typeof value === "object" && value !== null && (streamKindOf(value) ?? readStreamResult(value)) !== undefined
            ? { isReplay: false, error: { thrown: streamed(task.id) } }
            : { isReplay: false, value },
        (thrown: unknown): Outcome => ({ isReplay: false, error: { thrown } }),
      );
      const text = write(outcome, task, store.maxReplyChars ?? defaultReplyChars);
      try {
        await (text === undefined ? store.abandon(key) : store.finish(key, text));
      } catch (error) {
        // The call was made: its caller gets the reply, and the lease keeps others away for a while.
        void logger.error("idempotency.notRemembered", { error, data: { id: task.id } });
      }
      return outcome;
    } finally {
      clearInterval(renewing);
    }
  }

  async function run(call: OnceCall, task: ITask, start: Waiting["start"]): Promise<unknown> {
    const store = storeOf(task);
    const key = JSON.stringify([call.taskId, call.caller ?? null, call.key]);
    const inputHash = await hashOf(serializer.stringify(call.input ?? null));
    let known = flights.get(store);
    if (known === undefined) flights.set(store, (known = new Map()));
    let flight = known.get(key);
    const isJoined = flight !== undefined;
    if (flight === undefined) {
      const controller = new AbortController();
      const outcome = lead(key, store, { task, start, inputHash, signal: controller.signal });
      known.set(key, (flight = { inputHash, outcome, controller, waiting: 0 }));
      const byKey = known;
      outcome.catch(() => {}).finally(() => byKey.delete(key));
    } else if (flight.inputHash !== inputHash) {
      throw idempotencyConflictError.create({ taskId: task.id });
    }
    const { value, error, isReplay } = await join(flight, call, ending.signal);
    if (isJoined || isReplay) call.onReplayed?.();
    if (error !== undefined) throw error.thrown;
    return value;
  }

  return { run };
}

/** A reply as a store keeps it, not checked beyond being an object. */
interface Remembered {
  readonly ok?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly id: string; readonly data: unknown };
}

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

const abandoned = (signals: OnceCall["signals"]): unknown => signals.find((signal) => signal?.aborted === true)?.reason;

const streamed = (taskId: string): Error =>
  idempotencyUnsupportedError.create({ taskId, reason: "it replied with a stream, which was not sent" });

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      resolve();
    }, ms);
    const stop = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/** Where there is no digest, as in a page that came over plain HTTP, the text stands for itself. */
async function hashOf(text: string): Promise<string> {
  const subtle = (globalThis.crypto as Partial<Crypto> | undefined)?.subtle;
  if (subtle === undefined) return `=${text}`;
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Registered in every run; bundles that do not refer to it leave it out. */
export const idempotency = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ frameworkResource<Idempotency>(idempotencyId, { value: createIdempotency }),
);
