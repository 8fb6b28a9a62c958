import type { IncomingMessage } from "node:http";
import { invalidMultipart } from "../../../errors/wireErrors";
import type { IncomingFormBody, OpenedForm } from "../../../tunnels/protocol/wire";
import type { RequestFormParts } from "../form/formFeed";
import { FormReceiver } from "../form/formReceiver";
import type { Busboy, CreateParser } from "../form/formParsers";
import { assertUnread } from "./requestText";

/** A multipart request. */
export class RequestFormBody implements IncomingFormBody {
  readonly kind = "incomingForm";
  /** The form broke after it was opened. */
  onBroken: (() => void) | undefined;
  readonly #parts: RequestFormParts;
  #receiver: FormReceiver | undefined;

  constructor(parts: RequestFormParts) {
    this.#parts = parts;
  }

  // One promise for all of it: once contexts are in use, Node runs a hook for every one.
  open(decode: (manifest: string) => unknown): Promise<OpenedForm> {
    const { req, parsers } = this.#parts;
    return new Promise((onOpened, onRefused) => {
      assertUnread(req);
      const receive = (create: CreateParser): void => {
        const stream = this.#parts.source.open(req, parsers.limits.totalSize);
        this.#receiver = new FormReceiver(stream, parserFor(create, req), {
          request: this.#parts,
          decode,
          onOpened,
          onRefused,
          onBroken: () => this.onBroken?.(),
        });
      };
      if (parsers.create === undefined) parsers.load().then(receive).catch(onRefused);
      else receive(parsers.create);
    });
  }

  /** The reply is sent: what is not read is dropped. */
  release(): void {
    this.#receiver?.release();
  }
}

function parserFor(create: CreateParser, { headers }: IncomingMessage): Busboy {
  try {
    return create(headers);
  } catch {
    // No boundary.
    throw invalidMultipart();
  }
}
