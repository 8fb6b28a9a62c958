import type { IncomingMessage } from "node:http";
import type { MuxStream } from "../../../relay/muxStream";
import type { Binding } from "../bindings";
import type { TunnelRequestRow } from "./requestEvent";

/** Longest path that is kept, in characters: a relay keeps hundreds. */
const maxPathChars = 1_024;

/** What a relay notes of one request while it serves it. A class, because one is made per request. */
export class RequestRecord {
  readonly id: string;
  readonly req: IncomingMessage;
  binding: Binding | undefined;
  peer = "";
  host: string;
  target: string;
  /** Which gates decided. */
  gate: string | undefined;
  /** Carries the request. */
  stream: MuxStream | undefined;
  /** Of the response, names and values in turn. */
  responseHeaders: readonly string[] = [];
  readonly #at = Date.now();
  readonly #startedMs = performance.now();
  readonly #onEnd: (record: RequestRecord, row: TunnelRequestRow) => void;
  /** The session that the binding led to: another one may have taken it over by the end. */
  #sessionId: string | null = null;
  #error: string | null = null;
  #status: number | undefined;
  #ttfbMs: number | null = null;
  #ownBytes = 0;
  #hasEnded = false;

  constructor(id: string, req: IncomingMessage, onEnd: (record: RequestRecord, row: TunnelRequestRow) => void) {
    this.id = id;
    this.req = req;
    this.host = (req.headers.host ?? "").replace(/:\d*$/, "").toLowerCase();
    this.target = req.url ?? "/";
    this.#onEnd = onEnd;
  }

  leadsTo(binding: Binding, target: string, peer: string): void {
    this.binding = binding;
    this.target = target;
    this.peer = peer;
    this.#sessionId = binding.session.id;
  }

  /** Whether a response was begun. */
  get hasBegun(): boolean {
    return this.#status !== undefined;
  }

  /** A response begins. */
  began(status: number, headers: readonly string[]): void {
    this.#status ??= status;
    this.#ttfbMs ??= performance.now() - this.#startedMs;
    this.responseHeaders = headers;
  }

  /** The relay answers by itself. @param bytes of the body */
  answered(status: number, bytes: number, code: string | null = null): void {
    this.began(status, []);
    this.#ownBytes = bytes;
    this.#error ??= code;
  }

  failed(code: string): void {
    this.#error ??= code;
  }

  /** Everything was sent, or the connection is gone. @param isWhole whether nothing is missing */
  end(isWhole: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (!isWhole) this.failed("VISITOR_LEFT");
    this.#onEnd(this, this.#toRow());
  }

  #toRow(): TunnelRequestRow {
    const { stream, binding, req } = this;
    const ttfbMs = this.#ttfbMs;
    return {
      id: this.id,
      at: new Date(this.#at).toISOString(),
      serviceName: "tunnel",
      method: req.method ?? "GET",
      host: this.host.slice(0, 255),
      path: (this.target.split(/[?#]/, 1)[0] as string).slice(0, maxPathChars),
      status: this.#status ?? 499,
      bytesIn: stream?.sentBytes ?? 0,
      bytesOut: this.#ownBytes + (stream?.receivedBytes ?? 0),
      ms: round(performance.now() - this.#startedMs),
      ttfbMs: ttfbMs === null ? null : round(ttfbMs),
      peer: this.peer,
      sessionId: this.#sessionId,
      bindId: binding?.bindId ?? null,
      gate: this.gate ?? null,
      error: this.#error,
    };
  }
}

const round = (ms: number): number => Math.round(ms * 10) / 10;
