import { describeValue } from "../lib/describeValue";
import { symbolBareMessage } from "../lib/symbols";
import { isCancellationError } from "./cancellation";
import { isError } from "./normaliseThrown";
import { eventCycleError, validationError } from "./runErrors";

/** What failed while an event was emitted. */
export interface FailedListener {
  readonly eventId: string;
  /** Absent for listeners and interceptors without an id. */
  readonly listenerId?: string | undefined;
  readonly kind: "hook" | "listener" | "interceptor";
}

/**
 * Says on a line of its own which hook or listener of which event failed. The emitter gets the very error that was
 * thrown, so that it can be recognised; `hookId`, `eventId` and `cause` are added to it where it has none.
 *
 * Cancellations pass as they are: they are shared by all that was cancelled, and no failure of the hook. What is no
 * object becomes an error whose `cause` it is.
 */
export function locateListenerFailure(thrown: unknown, failed: FailedListener): unknown {
  if (typeof thrown !== "object" || thrown === null) {
    return locateListenerFailure(new Error(describeValue(thrown), { cause: thrown }), failed);
  }
  if (!isError(thrown) || isCancelled(thrown) || saysItself(thrown)) return thrown;
  const { message } = thrown;
  const line = describe(failed);
  // One error object may be thrown again and again, and an interceptor passes on what hooks of its event failed with.
  const isTold = failed.kind === "interceptor" ? message.includes(nameOf(failed.eventId)) : message.includes(line);
  if (isTold) return thrown;
  if (!(symbolBareMessage in thrown)) define(thrown, symbolBareMessage, message);
  define(thrown, "message", `${message}\n  ${line}`);
  const facts = {
    ...(failed.kind === "hook" && { hookId: failed.listenerId }),
    eventId: failed.eventId,
  };
  for (const [key, value] of Object.entries(facts)) if (!(key in thrown)) define(thrown, key, value, true);
  if (!Object.hasOwn(thrown, "cause")) define(thrown, "cause", facts);
  return thrown;
}

/** The message of an error as it was thrown, for callers outside: ids of hooks say nothing to them. */
export const bareMessageOf = (error: Error & { [symbolBareMessage]?: string }): string =>
  error[symbolBareMessage] ?? error.message;

function describe({ kind, listenerId, eventId }: FailedListener): string {
  const name = nameOf(eventId);
  if (kind === "hook") return `in hook "${listenerId ?? ""}" on ${name}`;
  if (kind === "interceptor") return `in an interceptor of ${name}`;
  return listenerId === undefined ? `in a listener of ${name}` : `in listener "${listenerId}" of ${name}`;
}

const nameOf = (eventId: string): string => `event "${eventId}"`;

const isCancelled = (error: Error): boolean =>
  isCancellationError(error) || error.name === "AbortError" || error.name === "TimeoutError";

/** What the framework refuses an emission for names the event already. */
const saysItself = (error: Error): boolean =>
  eventCycleError.is(error) || (validationError.is(error) && error.data.subject === "Event interceptor");

/** Frozen errors exist; they are passed on as they are. */
function define(error: Error, key: PropertyKey, value: unknown, enumerable = false): void {
  Reflect.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
