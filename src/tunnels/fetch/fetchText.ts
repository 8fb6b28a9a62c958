import { bufferFull, payloadTooLarge, requestAborted, requestTimeout, WireFailure } from "../../errors/wireErrors";
import type { ByteBudget } from "../../lib/byteBudget";
import { longestTimerMs } from "../../lib/timers";
import { PaceWatch, type LeastRate } from "../http/paceWatch";
import type { TextBody } from "../protocol/wire";
import { ByteCollector, openPieces } from "./bytePieces";

/** How the bodies of one fetch edge are read. */
export interface BodySource {
  readonly idleMs: number;
  readonly rate: LeastRate;
  /** What is held in memory of bodies. */
  readonly budget: ByteBudget;
}

/** The text of a request. A class, because one is made per request. */
export class FetchText implements TextBody {
  readonly kind = "text";
  readonly #request: Request;
  readonly #source: BodySource;
  #arrivedBytes = 0;

  constructor(request: Request, source: BodySource) {
    this.#request = request;
    this.#source = source;
  }

  /** How much of it was read. */
  get arrivedBytes(): number {
    return this.#arrivedBytes;
  }

  /**
   * @throws {WireFailure} (as a rejection, too) 413 over the limit, 408 when it came too slowly, 499 when the connection was
   * lost, 503 when there is no room for it
   */
  read(limitBytes = Infinity): string | Promise<string> {
    const declared = declaredBytes(this.#request);
    if (declared !== undefined && declared > limitBytes) throw payloadTooLarge();
    assertUnread(this.#request);
    if (declared === 0) return "";
    const isSmall = declared !== undefined && declared <= smallBytes && this.#source.rate.bytesPerSecond > 0;
    return isSmall ? this.#readAtOnce(declared, limitBytes) : this.#readPieces(limitBytes);
  }

  /** What is this small is read by the runtime, whose own code takes a third of the time. */
  #readAtOnce(declared: number, limitBytes: number): Promise<string> {
    const { idleMs, rate, budget } = this.#source;
    if (!budget.take(declared)) throw bufferFull();
    return new Promise((resolve, reject) => {
      // It shows no progress: so long, a body may stand still and then come at the least rate.
      const longestMs = Math.min(idleMs + (declared * 1000) / rate.bytesPerSecond, longestTimerMs);
      const timer = setTimeout(() => settle(() => reject(requestTimeout())), longestMs);
      const settle = (how: () => void): void => {
        clearTimeout(timer);
        budget.release(declared);
        this.#arrivedBytes = declared;
        how();
      };
      this.#request.text().then(
        (text) => settle(() => (isOver(text, limitBytes) ? reject(payloadTooLarge()) : resolve(text))),
        () => settle(() => reject(requestAborted())),
      );
    });
  }

  #readPieces(limitBytes: number): string | Promise<string> {
    const { body } = this.#request;
    if (body === null) return "";
    const { idleMs, rate, budget } = this.#source;
    const pieces = openPieces(body);
    const collected = new ByteCollector();
    const watch = new PaceWatch(idleMs, rate);
    const collect = async (): Promise<string> => {
      for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
        if (collected.length + piece.byteLength > limitBytes) throw payloadTooLarge();
        if (!budget.take(piece.byteLength)) throw bufferFull();
        collected.push(piece);
        this.#arrivedBytes = collected.length;
      }
      return collected.text();
    };
    return new Promise<string>((resolve, reject) => {
      watch.add({ progress: () => collected.length, onStalled: () => reject(requestTimeout()) });
      collect().then(resolve, (error: unknown) => reject(error instanceof WireFailure ? error : requestAborted()));
    }).finally(() => {
      watch.close();
      budget.release(collected.length);
      pieces.release();
    });
  }
}

const smallBytes = 65_536;

/** A length that is announced is the sender's word, and a request that was made by hand may have another body. */
const isOver = (text: string, limitBytes: number): boolean =>
  text.length * 3 > limitBytes && new TextEncoder().encode(text).byteLength > limitBytes;

/** What a request says of the length of its body; `undefined` where that is nothing. */
export function declaredBytes({ headers }: Request): number | undefined {
  const stated = headers.get("content-length");
  return stated !== null && /^\d{1,15}$/.test(stated) ? Number(stated) : undefined;
}

/** @throws {Error} the request was read, so that its body would be missing */
export function assertUnread(request: Request): void {
  if (!request.bodyUsed) return;
  throw new Error("The request's body was read before the exposure got it: hand the request over before it is read.");
}
