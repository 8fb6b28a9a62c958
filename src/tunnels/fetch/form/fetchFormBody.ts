import type { IncomingFormBody, OpenedForm } from "../../protocol/wire";
import { assertUnread } from "../fetchText";
import { FetchFormReceiver, type FetchFormParts } from "./fetchFormReceiver";
import { loadFormParser, type CreateFormParser } from "./formParser";

/** A multipart request. */
export class FetchFormBody implements IncomingFormBody {
  readonly kind = "incomingForm";
  /** The form broke after it was opened. */
  onBroken: (() => void) | undefined;
  readonly #request: Request;
  readonly #parts: FetchFormParts;
  #receiver: FetchFormReceiver | undefined;

  constructor(request: Request, parts: FetchFormParts) {
    this.#request = request;
    this.#parts = parts;
  }

  /** How much of it was read. */
  get arrivedBytes(): number {
    return this.#receiver?.arrivedBytes ?? 0;
  }

  async open(decode: (manifest: string) => unknown): Promise<OpenedForm> {
    assertUnread(this.#request);
    const createParser: CreateFormParser = await loadFormParser();
    return new Promise((onOpened, onRefused) => {
      this.#receiver = new FetchFormReceiver({
        ...this.#parts,
        request: this.#request,
        createParser,
        decode,
        onOpened,
        onRefused,
        onBroken: () => this.onBroken?.(),
      });
      this.#receiver.start();
    });
  }

  /** The reply is sent: what is not read is dropped. */
  release(): void {
    this.#receiver?.release();
  }
}
