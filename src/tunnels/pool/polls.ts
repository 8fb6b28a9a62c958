import { tryTimer } from "../../lib/timers";
import type { Endpoint, EndpointStates } from "./endpointStates";
import { readUrls, type ReadUrl, type ResolvedEndpoints, type ResolvedProbe } from "./poolConfig";

/**
 * Asks an endpoint whether it takes calls.
 *
 * @returns the status of its answer
 * @throws there was no answer
 */
export type ProbeEndpoint = (url: string, path: string, signal: AbortSignal) => Promise<number>;

/** What a pool asks for by itself. */
export interface Polls {
  /** Begins to ask, if it has not. */
  start(): void;
  /** Has the addresses asked for, unless they just were; settles with the answer, and never rejects. */
  resolveNow(): Promise<void>;
  stop(): void;
}

interface PollParts {
  readonly states: EndpointStates;
  readonly probe: ProbeEndpoint;
  readonly readUrl: ReadUrl;
  readonly replace: (urls: readonly string[]) => void;
  readonly warn: (message: string, error?: unknown) => void;
}

/** How long an answer of `resolve` may take, and how long one stands when no endpoint can be counted on, in ms. */
const resolveTimeoutMs = 10_000;
const freshMs = 1_000;

/** Keeps the list of endpoints and their states up to date. Its timers keep no process alive. */
export function pollEndpoints({ resolve, resolveMs, probe }: ResolvedEndpoints, parts: PollParts): Polls {
  const { states, replace, readUrl, warn } = parts;
  const ending = new AbortController();
  const timers: ReturnType<typeof setInterval>[] = [];
  let resolving: Promise<void> | undefined;
  let resolvedAt = -Infinity;
  let hasStarted = false;

  async function askForUrls(): Promise<void> {
    const aborter = new AbortController();
    const stop = (): void => aborter.abort(ending.signal.reason);
    ending.signal.addEventListener("abort", stop, { once: true });
    const timer = tryTimer(() => aborter.abort(new Error(`no answer within ${resolveTimeoutMs} ms`)), resolveTimeoutMs);
    try {
      const aborted = new Promise<never>((_resolve, reject) =>
        aborter.signal.addEventListener("abort", () => reject(aborter.signal.reason as Error), { once: true }),
      );
      const urls = readUrls(await Promise.race([resolve?.({ signal: aborter.signal }), aborted]), readUrl);
      if (ending.signal.aborted) return;
      if (typeof urls === "string") warn(`The answer of resolve was ignored: its endpoints ${urls}`);
      else replace(urls);
    } catch (error) {
      if (!ending.signal.aborted) warn("resolve failed; the endpoints stay as they are.", error);
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener("abort", stop);
      resolvedAt = performance.now();
      resolving = undefined;
    }
  }

  function resolveNow(): Promise<void> {
    if (resolve === undefined || ending.signal.aborted) return Promise.resolve();
    if (resolving === undefined && performance.now() - resolvedAt < freshMs) return Promise.resolve();
    return (resolving ??= askForUrls());
  }

  const probing = new Set<Endpoint>();
  async function askOne(endpoint: Endpoint, { path, everyMs }: ResolvedProbe): Promise<void> {
    // One that does not answer is asked once at a time.
    if (probing.has(endpoint)) return;
    probing.add(endpoint);
    const aborter = new AbortController();
    const stop = (): void => aborter.abort(ending.signal.reason);
    ending.signal.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(() => aborter.abort(new Error("no answer in time")), Math.min(everyMs, resolveTimeoutMs));
    let status: number | undefined;
    try {
      status = await parts.probe(endpoint.url, path, aborter.signal);
    } catch {
      // It could not be reached, which is an answer.
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener("abort", stop);
      probing.delete(endpoint);
    }
    if (ending.signal.aborted || endpoint.isGone) return;
    if (status !== undefined && status >= 200 && status < 300) states.passed(endpoint);
    else {
      if (status === 404 && endpoint.state === "up") {
        warn(`${endpoint.url} does not serve "${path}", which probe.path names; set http.ready there.`);
      }
      states.refused(endpoint);
    }
  }

  function every(ms: number, ask: () => void): void {
    const timer = setInterval(ask, ms);
    (timer as { unref?: () => void }).unref?.();
    timers.push(timer);
  }

  return {
    start() {
      if (hasStarted) return;
      hasStarted = true;
      if (resolve !== undefined) {
        void resolveNow();
        every(resolveMs, () => void resolveNow());
      }
      if (probe !== undefined) every(probe.everyMs, () => states.all.forEach((each) => void askOne(each, probe)));
    },
    resolveNow,
    stop() {
      ending.abort(new Error("The client is closed."));
      for (const timer of timers) clearInterval(timer);
    },
  };
}
