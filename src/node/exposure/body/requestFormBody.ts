import type { IncomingMessage } from "node:http";
import { invalidMultipart } from "../../../errors/wireErrors";
import type { IncomingFormBody, OpenedForm } from "../../../tunnels/protocol/wire";
import { FormReceiver, type RequestFormParts } from "../form/formReceiver";
import type { Busboy, FormHeaders } from "../form/formParsers";
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

  async open(decode: (manifest: string) => unknown): Promise<OpenedForm> {
    const { req, source, parsers } = this.#parts;
    assertUnread(req);
    const createParser = await parsers.load();
    const stream = source.open(req, parsers.limits.totalSize);
    const parser = parserFor(createParser, req);
    const form = await new Promise<FormReceiver>((onOpened, onRefused) => {
      this.#receiver = new FormReceiver(stream, parser, {
        request: this.#parts,
        decode,
        onOpened,
        onRefused,
        onBroken: () => this.onBroken?.(),
      });
    });
    // What came in one piece with the manifest was parsed with it.
    if (form.failure !== undefined) throw form.failure;
    return form;
  }

  /** The reply is sent: what is not read is dropped. */
  release(): void {
    this.#receiver?.release();
  }
}

function parserFor(create: (headers: FormHeaders) => Busboy, { headers }: IncomingMessage): Busboy {
  try {
    return create(headers);
  } catch {
    // No boundary.
    throw invalidMultipart();
  }
}
