import { contextError } from "../../errors/runErrors";
import { currentSlots } from "../../platform/contextScope";
import { fetchContextId, type FetchCall, type FetchExposureInfo } from "./fetchCall";

/** The request that a task of a fetch edge serves. */
export interface FetchContextValue {
  /** Its body has been read, unless it is `application/octet-stream`. */
  readonly request: Request;
  readonly info: FetchExposureInfo;
  readonly requestId: string;
  /** Aborts when the caller leaves before the reply was sent. */
  readonly signal: AbortSignal;
  /**
   * Replies in place of the result, at once: the task may go on, and feed the body of the response. Where it fails later,
   * the reply is cut.
   *
   * @throws {Error} the task has replied already
   */
  readonly respond: (response: Response) => void;
  /** Has the host, and `close()` of the edge, wait for work that goes on after the reply. What fails is logged. */
  readonly waitUntil: (work: PromiseLike<unknown>) => void;
}

/** What a context is a view of: a call, or one of a batch. */
export type FetchContextOwner = Pick<
  FetchCall,
  "request" | "info" | "requestId" | "signal" | "respond" | "keepWorking"
>;

const views = /* @__PURE__ */ new WeakMap<FetchContextOwner, FetchContextValue>();

/**
 * The request that is being served, inside a task that a fetch edge runs, and in whatever that task calls.
 *
 * @throws {contextError} not inside such a task; ask `hasFetchContext()` first where both happen
 * @see readmes/FETCH_EDGE.md
 */
export function useFetchContext(): FetchContextValue {
  const call = currentSlots()?.get(fetchContextId) as FetchContextOwner | undefined;
  if (call === undefined) {
    throw contextError.create({
      details: `Context not available for symbol ${fetchContextId}`,
      fix: "read it in a task that fetchExposure runs; where both happen, ask hasFetchContext() first.",
    });
  }
  let view = views.get(call);
  if (view === undefined) views.set(call, (view = viewOf(call)));
  return view;
}

/** Whether `useFetchContext()` would return. */
export const hasFetchContext = (): boolean => currentSlots()?.has(fetchContextId) ?? false;

const viewOf = (call: FetchContextOwner): FetchContextValue =>
  Object.freeze({
    request: call.request,
    info: call.info,
    requestId: call.requestId,
    get signal() {
      return call.signal;
    },
    respond: (response: Response) => call.respond(response),
    waitUntil: (work: PromiseLike<unknown>) => call.keepWorking(work),
  });
