import type { IncomingMessage } from "node:http";
import type { IncomingForm, IncomingFormBody } from "../../tunnels/protocol/wire";
import type { BodySource } from "./jsonBody";
import type { ResolvedLimits } from "./limits";

export interface RequestFormParts {
  readonly req: IncomingMessage;
  readonly source: BodySource;
  readonly limits: ResolvedLimits["multipart"];
  /** The form broke after it was opened. */
  readonly onBroken: () => void;
}

export class RequestForm implements IncomingFormBody {
  readonly kind = "incomingForm";
  constructor(_parts: RequestFormParts) {}
  open(_decode: (manifest: string) => unknown): Promise<IncomingForm> {
    return Promise.reject(new Error("later"));
  }
}
