import { flagEnd, flagInfo } from "./frames";
import { MuxProtocolError } from "./protocolError";

/** What interim heads of one response may take together, in bytes: no window counts them. */
const maxInterimBytes = 65_536;

/** The order in which the frames of one stream may arrive: heads, body, end. */
export class ArrivalOrder {
  readonly #isHttp: boolean;
  #awaitsHead: boolean;
  #interimBytes = 0;
  #hasEnded = false;

  /** @param isOpener whether this side opened the stream, and so receives the head of a response */
  constructor({ isHttp, isOpener }: { readonly isHttp: boolean; readonly isOpener: boolean }) {
    this.#isHttp = isHttp;
    this.#awaitsHead = isHttp && isOpener;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * @returns whether the interim heads so far are within their limit
   * @throws {MuxProtocolError} no head can follow, as with all members here
   */
  head(flags: number, bytes: number): boolean {
    this.#beforeEnd("HEAD");
    if (!this.#awaitsHead) throw new MuxProtocolError("HEAD arrived where none is expected.");
    if ((flags & flagInfo) === 0) this.#awaitsHead = false;
    else if (flags & flagEnd) throw new MuxProtocolError("An interim HEAD cannot end its stream.");
    else this.#interimBytes += bytes;
    return this.#interimBytes <= maxInterimBytes;
  }

  data(): void {
    this.#beforeEnd("DATA");
    this.#afterHead("DATA");
  }

  trailers(): void {
    this.#beforeEnd("TRAILERS");
    this.#afterHead("TRAILERS");
    if (!this.#isHttp) throw new MuxProtocolError("TRAILERS arrived on a TCP stream.");
  }

  end(): void {
    this.#hasEnded = true;
  }

  #beforeEnd(frame: string): void {
    if (this.#hasEnded) throw new MuxProtocolError(`${frame} follows the end of its stream.`);
  }

  /** A body without a head would reach the visitor as a response that the application never gave. */
  #afterHead(frame: string): void {
    if (this.#awaitsHead) throw new MuxProtocolError(`${frame} precedes the head of its response.`);
  }
}
