import { tryTimer } from "../../lib/timers";
import type { Endpoint, EndpointStates } from "./endpointStates";
import { readUrls, type ReadUrl, type ResolvedEndpoints, type ResolvedProbe } from "./poolConfig";

/** What an endpoint answered to a probe. */
export interface ProbeAnswer {
  readonly status: number;
  /** Of the refusal, where it is one of a server of tasks. */
  readonly code?: string | undefined;
}

/**
 * Asks an endpoint whether it takes calls.
 *
 * @throws there was no answer
 */
export type ProbeEndpoint = (url: string, path: string, signal: AbortSignal) => Promise<ProbeAnswer>;

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

/** A busy server takes its time, also where it is asked often. */
const probeTimeoutMs = (everyMs: number): number => Math.min(Math.max(everyMs, 1_000), resolveTimeoutMs);

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

  /** @param freshMs how old an answer may be that is taken for this one */
  function resolveWithin(freshMs: number): Promise<void> {
    if (resolve === undefined || ending.signal.aborted) return Promise.resolve();
    if (resolving === undefined && performance.now() - resolvedAt < freshMs) return Promise.resolve();
    return (resolving ??= askForUrls());
  }
  const resolveNow = (): Promise<void> => resolveWithin(freshMs);

  const probing = new Set<Endpoint>();
  async function askOne(endpoint: Endpoint, { path, everyMs }: ResolvedProbe): Promise<void> {
    // One that does not answer is asked once at a time.
    if (probing.has(endpoint)) return;
    probing.add(endpoint);
    const aborter = new AbortController();
    const stop = (): void => aborter.abort(ending.signal.reason);
    ending.signal.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(() => aborter.abort(new Error("no answer in time")), probeTimeoutMs(everyMs));
    let answer: ProbeAnswer | undefined;
    try {
      answer = await parts.probe(endpoint.url, path, aborter.signal);
    } catch {
      // It could not be reached, which is an answer.
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener("abort", stop);
      probing.delete(endpoint);
    }
    if (ending.signal.aborted || endpoint.isGone) return;
    if (answer !== undefined && answer.status >= 200 && answer.status < 300) return states.passed(endpoint);
    if (answer?.status === 404 && endpoint.state === "up") {
      warn(`${endpoint.url} does not serve "${path}", which probe.path names; set http.ready there.`);
    }
    // Servers that close say no more than "not ready" to a probe; one that is gone says nothing.
    const isDraining = answer !== undefined && (answer.code === "SERVER_CLOSING" || endpoint.state === "draining");
    states.refused(endpoint, isDraining ? "draining" : "ejected");
    if (!states.hasUp) void resolveNow();
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
        every(resolveMs, () => void resolveWithin(0));
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
