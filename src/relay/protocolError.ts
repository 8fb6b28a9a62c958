import { CloseCode, type GoAwayCode } from "./codes";

/** What a peer did that ends its session: thrown by parsers, caught where a link receives. */
export class MuxProtocolError extends Error {
  readonly code: GoAwayCode;
  readonly closeCode: CloseCode;

  constructor(message: string, code: GoAwayCode = "PROTOCOL_ERROR", closeCode: CloseCode = CloseCode.PROTOCOL_ERROR) {
    super(message);
    this.name = "MuxProtocolError";
    this.code = code;
    this.closeCode = closeCode;
  }
}
