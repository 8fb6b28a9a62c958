import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { RelayCounters } from "../relayParts";
import type { TunnelRequestPayload, TunnelRequestRow } from "./requestEvent";
import { maskedHeaders } from "./maskedHeaders";
import { RequestRecord, rowOf, type RequestFacts } from "./requestRecord";

/** How many requests are remembered. */
const remembered = 500;

/** Which requests are asked for. */
export interface RequestFilter {
  readonly limit: number;
  /** Only what ended after the request of this id; an id that is forgotten leaves nothing out. */
  readonly after?: string | undefined;
  readonly method?: string | undefined;
  readonly status?: number | undefined;
  /** Name of the binding. */
  readonly name?: string | undefined;
}

export interface RequestLogOptions {
  /** Headers to mask besides the usual ones, in lower case. */
  readonly secretHeaders: ReadonlySet<string>;
  /** Whether anything listens: if not, no payload is made. */
  readonly isHeard: () => boolean;
  readonly emit: (payload: TunnelRequestPayload) => void;
}

/** The last requests of visitors, and the event of each. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  readonly #entries: RequestFacts[] = [];
  #counts: RelayCounters["requests"] | undefined;
  /** Where the next entry goes, once there are as many as are remembered. */
  #next = 0;

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  /** Counts requests by the class of their status as well. */
  countInto(counts: RelayCounters["requests"]): void {
    this.#counts = counts;
  }

  begin(req: IncomingMessage): RequestRecord {
    return new RequestRecord(newId(), req, this.#add);
  }

  /** The newest first. */
  list({ limit, after, method, status, name }: RequestFilter): readonly TunnelRequestRow[] {
    const rows: TunnelRequestRow[] = [];
    for (let age = 1; age <= this.#entries.length && rows.length < limit; age++) {
      const place = (this.#next - age + 2 * this.#entries.length) % this.#entries.length;
      const facts = this.#entries[place] as RequestFacts;
      if (facts.id === after) break;
      const isWanted =
        (method === undefined || facts.method === method.toUpperCase()) &&
        (status === undefined || facts.status === status) &&
        (name === undefined || facts.name === name);
      if (isWanted) rows.push(rowOf(facts));
    }
    return rows;
  }

  readonly #add = (record: RequestRecord, facts: RequestFacts): void => {
    const statusClass = statusClasses[Math.floor(facts.status / 100) - 1];
    if (this.#counts !== undefined && statusClass !== undefined) this.#counts[statusClass] += 1;
    this.#entries[this.#next] = facts;
    this.#next = (this.#next + 1) % remembered;
    const { isHeard, emit, secretHeaders } = this.#options;
    if (!isHeard()) return;
    emit({
      ...rowOf(facts),
      name: facts.name,
      requestHeaders: maskedHeaders(record.req.rawHeaders, secretHeaders),
      responseHeaders: maskedHeaders(record.responseHeaders, secretHeaders),
    });
  };
}

/** Copied, since Node puts the text together from twenty pieces, which it would keep: hundreds of ids are remembered. */
const newId = (): string => Buffer.from(`req_${randomUUID()}`, "latin1").toString("latin1");

const statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;
