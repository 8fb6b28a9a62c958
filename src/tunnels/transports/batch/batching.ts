// Imports types, and what nothing else of a page has. What it shares with the rest is handed over: bundlers would make a further
// file of that, with which pages would begin.
import type { TunnelError } from "../../../errors/tunnelError";
import type { TransportLayer } from "../../client/carrier";
import type { Transport, WireRequest } from "../../protocol/wire";
import { isLostFetch } from "./batchFailures";
import type { BatchingClientConfig, BatchTransport } from "./batchParts";
import { CallBatch, sendAlone, type WaitingCall } from "./callBatch";
import { callLineOf, callPathOf, splitHeaders, type CallPath, type SplitHeaders } from "./callLine";
import { onTurn } from "./onTurn";

/** How long a server that takes no batches gets none, in ms. */
const forgetAfterMs = 60_000;
/** Most tasks that are remembered as those whose calls go by themselves. */
const maxSingles = 1000;

/**
 * Sends calls of one turn that have the same headers, but for those of a line, and the same signal of their caller in one
 * request. Innermost: what other layers do to a call, as its time limit and its headers, is done by then.
 *
 * @param isLost whether the failure of a request means that it may have been served. Default: by what fetch fails with
 * @throws {TypeError} a limit is no number of at least 1
 */
export function batching(
  { batch, maxReplyBytes = 33_554_432 }: BatchingClientConfig,
  TunnelErrorClass: typeof TunnelError,
  isLost = isLostFetch,
): TransportLayer {
  const { maxItems = 64, maxBytes = 262_144 } = typeof batch === "object" ? batch : {};
  assertLimit("maxItems", maxItems);
  assertLimit("maxBytes", maxBytes);
  const options = { TunnelError: TunnelErrorClass, isLost, maxReplyBytes, maxItems, maxBytes };
  return (next) => new Batching(options, next).send;
}

function assertLimit(name: string, value: unknown): void {
  if (typeof value === "number" && value >= 1) return;
  throw new TypeError(
    `batch.${name} must be a number of at least 1, got ${typeof value === "number" ? value : typeof value}.`,
  );
}

interface BatchingOptions extends Pick<BatchTransport, "TunnelError" | "isLost" | "maxReplyBytes"> {
  readonly maxItems: number;
  readonly maxBytes: number;
}

/** What waits for the turn to end. */
class Batching implements BatchTransport {
  readonly sendAlone: Transport;
  readonly maxReplyBytes: number;
  readonly TunnelError: BatchTransport["TunnelError"];
  readonly isLost: BatchTransport["isLost"];
  readonly #options: BatchingOptions;
  /** By the caller's signal, then by the headers that the calls share. */
  #waiting = new Map<AbortSignal | undefined, Map<string, CallBatch>>();
  /** The first call of a turn, which is most often the only one. */
  #first: { readonly call: WaitingCall; readonly split: SplitHeaders } | undefined;
  #isTurnAwaited = false;
  /** The server takes no batches until then. */
  #unsupportedUntilMs: number | undefined;
  /** Tasks that cannot be called in a batch. */
  readonly #singles = new Set<string>();
  #lastSplit: SplitHeaders | undefined;
  #lastPath: CallPath | undefined;

  constructor(options: BatchingOptions, next: Transport) {
    this.#options = options;
    this.sendAlone = next;
    this.maxReplyBytes = options.maxReplyBytes;
    this.TunnelError = options.TunnelError;
    this.isLost = options.isLost;
  }

  readonly send: Transport = (request) => {
    const { target, headers, body } = request;
    if (!this.#isBatchable(request)) return this.sendAlone(request);
    const split = (this.#lastSplit = splitHeaders(headers, this.#lastSplit));
    const text = body.kind === "text" ? body.read() : undefined;
    const path = (this.#lastPath = callPathOf(target, this.#lastPath));
    const line = typeof text === "string" && path !== undefined ? callLineOf(path, split.own, text) : undefined;
    if (line === undefined || line.bytes > this.#options.maxBytes) return this.sendAlone(request);
    return new Promise((resolve, reject) => {
      this.#add({ request, line, resolve, reject, unlink: undefined }, split);
    });
  };

  onUnsupported(): void {
    this.#unsupportedUntilMs = performance.now() + forgetAfterMs;
  }

  onSingle(id: string): void {
    if (this.#singles.size < maxSingles) this.#singles.add(id);
  }

  #isBatchable({ target, wantsItems, onProgress, onDownloadProgress }: WireRequest): boolean {
    return (
      wantsItems !== true &&
      onProgress === undefined &&
      onDownloadProgress === undefined &&
      !this.#singles.has(target.id) &&
      (this.#unsupportedUntilMs === undefined || this.#unsupportedUntilMs <= performance.now())
    );
  }

  #add(call: WaitingCall, split: SplitHeaders): void {
    if (!this.#isTurnAwaited) {
      this.#isTurnAwaited = true;
      onTurn(this.#flush);
      this.#first = { call, split };
      return;
    }
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) this.#batchFor(first.call, first.split).add(first.call);
    this.#batchFor(call, split).add(call);
  }

  /** The batch that has room for one more call. */
  #batchFor({ request, line }: WaitingCall, split: SplitHeaders): CallBatch {
    // A time limit has a signal of its own for each call.
    const signal = "ownSignal" in request ? request.ownSignal : request.signal;
    let byHeaders = this.#waiting.get(signal);
    if (byHeaders === undefined) this.#waiting.set(signal, (byHeaders = new Map<string, CallBatch>()));
    const { maxItems, maxBytes } = this.#options;
    let batch = byHeaders.get(split.key);
    if (batch !== undefined && (batch.size >= maxItems || batch.bytes + line.bytes > maxBytes)) {
      void batch.send();
      batch = undefined;
    }
    if (batch === undefined) byHeaders.set(split.key, (batch = new CallBatch(split.shared, this)));
    return batch;
  }

  readonly #flush = (): void => {
    this.#isTurnAwaited = false;
    const first = this.#first;
    if (first !== undefined) {
      this.#first = undefined;
      sendAlone(this.sendAlone, first.call);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const byHeaders of waiting.values()) for (const batch of byHeaders.values()) void batch.send();
  };
}
