import type { definitions as types } from "../../index";
import { createDeferred } from "./deferred";
import { soon } from "./soon";

type Event = types.HeardEvent;
type Gap = types.SubscriptionGap;

/** A subscription that is read by hand. */
export interface Listening extends AsyncDisposable {
  /** The event that comes next. */
  next(): Promise<Event>;
  /** The payloads of those that come next. */
  payloads(count: number): Promise<unknown[]>;
  /** What was missed so far. */
  readonly gaps: Gap[];
  /** What came, gaps among the events, as far as it was asked for. */
  readonly seen: (Event | Gap)[];
  /** How often the subscription has begun, and begun anew. */
  readonly opened: Readonly<Record<string, string>>[];
  /** Resolves once it has begun for so many times. */
  untilOpened(times: number): Promise<void>;
  /** What the loop ends with. */
  readonly end: () => Promise<IteratorResult<unknown>>;
}

type Subscribe = (options: types.SubscribeOptions) => AsyncIterable<unknown>;

/** Begins a subscription, and resolves once it is listened to. */
export async function listen(subscribe: Subscribe, options: types.SubscribeOptions = {}): Promise<Listening> {
  const listening = begin(subscribe, options);
  await listening.untilOpened(1);
  return listening;
}

/** Begins a subscription that may never be listened to. */
export function begin(subscribe: Subscribe, options: types.SubscribeOptions = {}): Listening {
  const gaps: Gap[] = [];
  const seen: (Event | Gap)[] = [];
  const opened: Readonly<Record<string, string>>[] = [];
  let changed = createDeferred();
  const iterator = subscribe({
    ...options,
    onGap(gap) {
      gaps.push(gap);
      seen.push(gap);
      options.onGap?.(gap);
    },
    onOpen(positions) {
      opened.push(positions);
      changed.resolve();
      changed = createDeferred();
    },
  })[Symbol.asyncIterator]();
  // It begins when its first event is asked for.
  let ahead: Promise<IteratorResult<unknown>> | undefined = iterator.next();
  const failed = ahead.then(
    () => new Promise<never>(() => {}),
    (error: unknown) => Promise.reject(error as Error),
  );
  failed.catch(() => {});
  async function read(): Promise<IteratorResult<unknown>> {
    const coming = ahead ?? iterator.next();
    ahead = undefined;
    return soon(coming);
  }
  async function next(): Promise<Event> {
    const { done, value } = await read();
    if (done === true) throw new Error("The subscription has ended.");
    seen.push(value as Event);
    return value as Event;
  }
  return {
    next,
    async payloads(count) {
      const payloads: unknown[] = [];
      while (payloads.length < count) payloads.push((await next()).payload);
      return payloads;
    },
    gaps,
    seen,
    opened,
    async untilOpened(times) {
      while (opened.length < times) await soon(Promise.race([changed.promise, failed]));
    },
    end: read,
    [Symbol.asyncDispose]: async () => void (await iterator.return?.()),
  };
}
