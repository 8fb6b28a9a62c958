import type { Msg, MsgHdrs } from "@nats-io/transport-node";
import { TunnelError } from "../../../errors/tunnelError";
import { onAbort } from "../../../lib/onAbort";
import { replyTooLarge } from "../../../tunnels/protocol/replyLimit";
import type { WireRequest, WireResponse } from "../../../tunnels/protocol/wire";
import { gzipCoding } from "../../contentCodings";
import type { Blobs } from "../blobs";
import { sendCancel } from "../itemFrames";
import type { NatsLink } from "../link";
import { blobHeader, codingHeader, headerOf, readHeaders, statusHeader } from "../messageHeaders";
import { readItems } from "./itemsReply";
import { beatMs, type PendingCall, type PendingCalls } from "./pendingCalls";

/** What all calls of a client share. */
export interface ExchangeParts {
  readonly link: NatsLink;
  readonly namespace: string;
  readonly pending: PendingCalls;
  readonly blobs: Blobs;
  /** The time that each call gets by the configuration of the client, in ms; 0: no limit. */
  readonly timeoutMs: number;
  /** Largest reply, decompressed, in bytes. */
  readonly maxReplyBytes: number;
}

/** Where a call goes, and what it comes to. */
export interface ExchangeEnds {
  readonly subject: string;
  readonly resolve: (response: WireResponse | Promise<WireResponse>) => void;
  readonly reject: (error: unknown) => void;
}

const ignore = (): void => {};

/**
 * One call, from its message to its reply.
 *
 * A class, because one is made per call.
 */
export class Exchange implements PendingCall {
  number = -1;
  address = "";
  readonly subject: string;
  isWatched: boolean;
  heardAtMs = 0;
  worker: string | undefined;
  onWorker: ((worker: string) => void) | undefined;
  onItems: ((kind: string, message: Msg) => void) | undefined;
  granting: string | undefined;
  readonly #parts: ExchangeParts;
  readonly #wire: WireRequest;
  readonly #ends: ExchangeEnds;
  #stopListening: () => void = ignore;
  /** Whether its caller waits for it no longer. */
  #isLeft = false;

  constructor(parts: ExchangeParts, wire: WireRequest, ends: ExchangeEnds) {
    this.subject = ends.subject;
    this.isWatched = isWatched(wire, parts.timeoutMs);
    this.#parts = parts;
    this.#wire = wire;
    this.#ends = ends;
  }

  begin(payload: string | Uint8Array, headers: MsgHdrs | undefined): void {
    const { link, pending } = this.#parts;
    const { signal, wantsItems } = this.#wire;
    this.heardAtMs = performance.now();
    pending.add(this);
    if (wantsItems) {
      const { namespace } = this.#parts;
      readItems({ call: this, namespace, link, pending }, this.#ends.resolve, (worker) => this.#cancel(worker));
    }
    if (signal !== undefined) {
      this.#stopListening = onAbort(signal, () => this.#leave(signal.reason as Error));
      if (signal.aborted) return pending.delete(this);
    }
    try {
      link.publish(this.subject, payload, { reply: this.address, headers });
    } catch (error) {
      pending.delete(this);
      this.#stopListening();
      this.#ends.reject(error);
    }
  }

  onReply(message: Msg): void {
    if (this.#isLeft) return;
    this.#stopListening();
    try {
      this.#ends.resolve(readReply(message, this.#parts));
    } catch (error) {
      this.#ends.reject(error);
    }
  }

  onFailed(error: TunnelError): void {
    if (this.#isLeft) return;
    this.#stopListening();
    this.#ends.reject(error);
  }

  #leave(reason: Error): void {
    this.#ends.reject(reason);
    if (this.worker !== undefined) return this.#cancel(this.worker);
    // Who has the call is not known yet. It is not waited for longer than for a worker that is lost.
    this.#isLeft = true;
    this.isWatched = true;
    this.onItems = undefined;
    this.onWorker = (worker) => this.#cancel(worker);
  }

  #cancel(worker: string): void {
    const { link, namespace, pending } = this.#parts;
    pending.delete(this);
    sendCancel(link, namespace, { worker, address: this.address });
  }
}

/** Calls that are over within two seconds need no beats. */
function isWatched({ timeoutMs = Infinity, deadline }: WireRequest, configuredMs: number): boolean {
  const leftMs = Math.min(timeoutMs, deadline?.remainingMs ?? Infinity, configuredMs > 0 ? configuredMs : Infinity);
  return leftMs > 2 * beatMs;
}

/** Reads a reply: at once, unless it is compressed or kept in the bucket. */
function readReply(
  message: Msg,
  { blobs, maxReplyBytes: limitBytes }: ExchangeParts,
): WireResponse | Promise<WireResponse> {
  if (message.headers === undefined) {
    return { status: 200, body: { kind: "text", text: message.string() } };
  }
  const headers = readHeaders(message.headers);
  const status = Number(headerOf(headers, statusHeader) ?? 200);
  const coding = headerOf(headers, codingHeader);
  const blob = headerOf(headers, blobHeader);
  if (coding === undefined && blob === undefined) {
    return { status, headers, body: { kind: "text", text: message.string() } };
  }
  return (async () => {
    let bytes = message.data;
    if (blob !== undefined) {
      bytes = await blobs.get(blob, limitBytes);
      void blobs.delete(blob);
    }
    return { status, headers, body: { kind: "text", text: await decode(bytes, coding, limitBytes) } };
  })();
}

async function decode(bytes: Uint8Array, coding: string | undefined, limitBytes: number): Promise<string> {
  if (coding === undefined) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  if (coding !== gzipCoding.name) throw new TunnelError("INVALID_RESPONSE", `A reply is coded by "${coding}".`);
  try {
    return (await gzipCoding.decode(bytes, { maxOutputLength: limitBytes })).toString();
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") throw replyTooLarge(limitBytes);
    throw error;
  }
}
