import type { IncomingMessage } from "node:http";
import type { MuxStream } from "../../../relay/muxStream";
import type { Binding } from "../bindings";
import type { TunnelRequestRow } from "./requestEvent";

/** Longest path that is kept, in characters: a relay keeps hundreds. */
const maxPathChars = 1_024;

/** What is remembered of a request; as a row it is shown when it is asked for, which few are. */
export interface RequestFacts extends Omit<TunnelRequestRow, "at"> {
  readonly atMs: number;
  /** Name of the binding. */
  readonly name: string | undefined;
}

export const rowOf = ({ atMs, id, name: _name, ...facts }: RequestFacts): TunnelRequestRow => ({
  id,
  at: new Date(atMs).toISOString(),
  ...facts,
  ms: round(facts.ms),
  ttfbMs: facts.ttfbMs === null ? null : round(facts.ttfbMs),
});

/** What a relay notes of one request while it serves it. A class, because one is made per request. */
export class RequestRecord {
  readonly id: string;
  readonly req: IncomingMessage;
  binding: Binding | undefined;
  peer = "";
  /** That the request names; `undefined` until it is known where it leads. */
  host: string | undefined;
  target: string;
  /** Which gates decided. */
  gate: string | undefined;
  /** Carries the request. */
  stream: MuxStream | undefined;
  /** Of the response, names and values in turn. */
  responseHeaders: readonly string[] = [];
  readonly #at = Date.now();
  readonly #startedMs = performance.now();
  readonly #onEnd: (record: RequestRecord, facts: RequestFacts) => void;
  /** The session that the binding led to: another one may have taken it over by the end. */
  #sessionId: string | null = null;
  #error: string | null = null;
  #status: number | undefined;
  #ttfbMs: number | null = null;
  #ownBytes = 0;
  #hasEnded = false;

  constructor(id: string, req: IncomingMessage, onEnd: (record: RequestRecord, facts: RequestFacts) => void) {
    this.id = id;
    this.req = req;
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
    this.#onEnd(this, this.#toFacts());
  }

  #toFacts(): RequestFacts {
    const { stream, binding, req } = this;
    return {
      id: this.id,
      atMs: this.#at,
      serviceName: "tunnel",
      method: req.method ?? "GET",
      host: (this.host ?? statedHost(req)).slice(0, 255),
      path: pathOf(this.target).slice(0, maxPathChars),
      status: this.#status ?? 499,
      bytesIn: stream?.sentBytes ?? 0,
      bytesOut: this.#ownBytes + (stream?.receivedBytes ?? 0),
      ms: performance.now() - this.#startedMs,
      ttfbMs: this.#ttfbMs,
      peer: this.peer,
      sessionId: this.#sessionId,
      bindId: binding?.bindId ?? null,
      gate: this.gate ?? null,
      error: this.#error,
      name: binding?.name,
    };
  }
}

const statedHost = ({ headers }: IncomingMessage): string => (headers.host ?? "").replace(/:\d*$/, "").toLowerCase();

/** What comes before and behind it may hold credentials. */
function pathOf(target: string): string {
  const path = target.startsWith("/") ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "") || "/";
  const end = path.search(/[?#]/);
  return end === -1 ? path : path.slice(0, end);
}

const round = (ms: number): number => Math.round(ms * 10) / 10;
