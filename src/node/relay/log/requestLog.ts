import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { RelayCounters } from "../relayParts";
import type { TunnelRequestPayload, TunnelRequestRow } from "./requestEvent";
import { maskedHeaders } from "./maskedHeaders";
import { RequestRecord } from "./requestRecord";

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

interface Entry {
  readonly row: TunnelRequestRow;
  readonly name: string | undefined;
}

/** The last requests of visitors, and the event of each. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  readonly #entries: Entry[] = [];
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
    return new RequestRecord(`req_${randomUUID()}`, req, this.#add);
  }

  /** The newest first. */
  list({ limit, after, method, status, name }: RequestFilter): readonly TunnelRequestRow[] {
    const rows: TunnelRequestRow[] = [];
    for (let age = 1; age <= this.#entries.length && rows.length < limit; age++) {
      const place = (this.#next - age + 2 * this.#entries.length) % this.#entries.length;
      const { row, name: rowName } = this.#entries[place] as Entry;
      if (row.id === after) break;
      const isWanted =
        (method === undefined || row.method === method.toUpperCase()) &&
        (status === undefined || row.status === status) &&
        (name === undefined || rowName === name);
      if (isWanted) rows.push(row);
    }
    return rows;
  }

  readonly #add = (record: RequestRecord, row: TunnelRequestRow): void => {
    const name = record.binding?.name;
    const statusClass = `${Math.floor(row.status / 100)}xx`;
    if (this.#counts !== undefined && isStatusClass(statusClass)) this.#counts[statusClass] += 1;
    this.#entries[this.#next] = { row, name };
    this.#next = (this.#next + 1) % remembered;
    const { isHeard, emit, secretHeaders } = this.#options;
    if (!isHeard()) return;
    emit({
      ...row,
      name,
      requestHeaders: maskedHeaders(record.req.rawHeaders, secretHeaders),
      responseHeaders: maskedHeaders(record.responseHeaders, secretHeaders),
    });
  };
}

const isStatusClass = (text: string): text is keyof RelayCounters["requests"] => /^[1-5]xx$/.test(text);
