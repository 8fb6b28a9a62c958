import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import { endAnswer } from "./endAnswer";

/** What the relay itself answers a visitor, other than an error. */
export interface VisitorAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array;
}

/** @returns the size of the body, in bytes */
export function sendVisitorAnswer(req: IncomingMessage, res: ServerResponse, answer: VisitorAnswer): number {
  const { status, headers, body } = answer;
  const isSent = mayHaveBody(status) && req.method !== "HEAD";
  endAnswer(req, res, () => {
    res.writeHead(status, [...headers.flat(), ...lengthOf(answer)]);
    return isSent ? body : undefined;
  });
  return isSent ? Buffer.byteLength(body) : 0;
}

/** As `sendVisitorAnswer`, on the bare connection of an upgrade request. */
export function upgradeAnswer(answer: VisitorAnswer): Buffer {
  const { status, headers, body } = answer;
  const lines = [...headers, ["Connection", "close"] as const].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = lengthOf(answer);
  const framing = length.length === 0 ? "" : `Content-Length: ${length[1]}\r\n`;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines}${framing}\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), mayHaveBody(status) ? Buffer.from(body) : Buffer.alloc(0)]);
}

/** RFC 9110 section 6.4.1. */
const mayHaveBody = (status: number): boolean => status >= 200 && status !== 204 && status !== 304;

const lengthOf = ({ status, body }: VisitorAnswer): readonly string[] =>
  mayHaveBody(status) ? ["Content-Length", String(Buffer.byteLength(body))] : [];
