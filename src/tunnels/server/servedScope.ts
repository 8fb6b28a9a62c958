import type { CallScope } from "../../runtime/callScope";
import { requestIdHeader } from "../protocol/headers";
import { readEmissionPath } from "../protocol/emissionPath";
import { readTrace } from "../protocol/traceHeaders";
import type { WireRequest } from "../protocol/wire";
import type { Caller } from "./authenticate";
import type { CallTime } from "./callTime";

/** The scope of a served call. A class, because one is made per call and most tasks look at no signal. */
export class ServedScope implements CallScope {
  readonly origin: string;
  readonly caller: Caller | undefined;
  readonly #request: WireRequest;
  readonly #time: CallTime | undefined;
  readonly #own: AbortSignal | undefined;
  #never: AbortSignal | undefined;

  // eslint-disable-next-line @typescript-eslint/max-params -- one is made per call, and a record would be a second object
  constructor(
    request: WireRequest,
    origin: string,
    time: CallTime | undefined,
    caller: Caller | undefined,
    own?: AbortSignal,
  ) {
    this.#own = own;
    this.#request = request;
    this.origin = origin;
    this.caller = caller;
    this.#time = time;
  }

  get deadline(): CallScope["deadline"] {
    return this.#time?.deadline;
  }

  get trace(): CallScope["trace"] {
    const { observed, headers } = this.#request;
    return observed === undefined ? readTrace(headers) : observed.trace;
  }

  get requestId(): string | undefined {
    return this.#request.headers[requestIdHeader]?.toString();
  }

  get path(): CallScope["path"] {
    return readEmissionPath(this.#request.headers);
  }

  /** Never aborts where the carrier has no way to say that its caller aborted. */
  get signal(): AbortSignal {
    if (this.#own !== undefined) return this.#own;
    if (this.#time !== undefined) return this.#time.signalOf(this.#request);
    return this.#request.signal ?? (this.#never ??= new AbortController().signal);
  }
}
