import { notBatchable } from "../../errors/wireErrors";
import type { WireRequest } from "../../tunnels/protocol/wire";
import { originForm } from "../../tunnels/http/router";
import type { ExposureRequestContextValue } from "./exposureContext";
import type { IncomingCall } from "./incomingCall";

/** The request that a call came with in a batch. A class with a lazy view, because most tasks do not look at it. */
export class BatchedContext {
  readonly #line: WireRequest;
  readonly #batch: IncomingCall;
  readonly #basePath: string;
  #view: ExposureRequestContextValue | undefined;

  constructor(line: WireRequest, batch: IncomingCall, basePath: string) {
    this.#line = line;
    this.#batch = batch;
    this.#basePath = basePath;
  }

  /** The context of a call by itself, without the response: writing to it would break the replies to the others. */
  get view(): ExposureRequestContextValue {
    return (this.#view ??= viewOf(this.#line, this.#batch, this.#basePath));
  }
}

function viewOf(line: WireRequest, batch: IncomingCall, basePath: string): ExposureRequestContextValue {
  const { req } = batch;
  const view = {
    req,
    basePath,
    method: batch.method,
    headers: { ...req.headers, ...line.headers },
    get url() {
      return new URL(`http://localhost${originForm(req.url ?? "/")}`);
    },
    get signal() {
      // A batch that came over a connection has one.
      return line.signal as AbortSignal;
    },
    get cookies() {
      return batch.readCookies();
    },
  };
  return Object.defineProperty(view, "res", {
    // Not among what spreading copies, which would read it.
    enumerable: false,
    get(): never {
      throw notBatchable(line.target.id, "replies by itself", true);
    },
  }) as ExposureRequestContextValue;
}
