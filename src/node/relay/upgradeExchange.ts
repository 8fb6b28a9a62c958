import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ResetCode } from "../../relay/codes";
import { decodeResponseHead, type ResponseHead } from "../../relay/framePayloads";
import { flagInfo, flagUpgrade } from "../../relay/frames";
import { receiveInto, sendFrom } from "./byteFlow";
import { endToEndHeaders, upgradeHeaders } from "./headers";
import type { VisitorRequest } from "./httpExchange";
import { cutSocket } from "./joinSocket";
import { failureOfReset, upgradeRefusal, visitorErrors } from "./visitorError";

/** A visitor's request to switch protocols. */
export interface UpgradeRequest extends Omit<VisitorRequest, "res"> {
  readonly socket: Duplex;
  /** What arrived behind the request's head. */
  readonly head: Buffer;
}

/** Carries an upgrade, and the bytes of both directions once it was granted. */
export function exchangeUpgrade({ req, socket, head, session, responseTimeoutMs, ...request }: UpgradeRequest): void {
  const protocol = req.headers.upgrade ?? "";
  const stream = session.openHttp(
    {
      method: req.method ?? "GET",
      target: request.target,
      headers: upgradeHeaders(request.headers, protocol),
      bindId: request.bindId,
      peer: request.peer,
      requestId: request.requestId,
    },
    flagUpgrade,
  );
  if (stream === undefined || stream === "tooLarge") {
    const failure = stream === undefined ? visitorErrors.streamLimit : visitorErrors.headTooLarge;
    return void socket.end(upgradeRefusal(req, failure));
  }

  const timer = setTimeout(() => {
    stream.reset(ResetCode.TIMEOUT);
    socket.end(upgradeRefusal(req, visitorErrors.upstreamTimeout));
  }, responseTimeoutMs);
  const onClose = (): void => {
    clearTimeout(timer);
    if (!socket.readableEnded) stream.reset(ResetCode.CANCEL, "The visitor left.");
  };
  socket.once("close", onClose);
  stream.handler = {
    onHead(payload, flags) {
      const response = decodeResponseHead(payload, flags);
      // Interim responses help nothing here.
      if (flags & flagInfo) return;
      clearTimeout(timer);
      const isSwitched = (flags & flagUpgrade) !== 0 && response.status === 101;
      // A switch to something else than was asked for would hand over a connection that the visitor cannot read.
      if (response.status === 101 && !(isSwitched && echoes(response, protocol))) {
        stream.reset(ResetCode.INTERNAL, "The response switches to another protocol.");
        return void socket.end(upgradeRefusal(req, visitorErrors.interrupted));
      }
      socket.write(headText(req, response, isSwitched));
      if (head.length > 0) socket.unshift(head);
      stream.handler = {
        onData: receiveInto(socket, stream),
        onEnd: () => void socket.end(),
        onDrain: isSwitched ? sendFrom(socket, stream, () => undefined) : () => {},
        onReset: ({ code }) => cutSocket(socket, code),
      };
      // What follows an answer that does not switch is its body; nothing more is sent.
      if (!isSwitched) stream.end();
    },
    onReset({ code }) {
      clearTimeout(timer);
      socket.end(upgradeRefusal(req, failureOfReset(code)));
    },
  };
}

/** RFC 9110 section 7.8: the server names the protocol it chose among those that were offered. */
function echoes({ headers }: ResponseHead, offered: string): boolean {
  const protocols = offered.split(",").map((protocol) => protocol.trim().toLowerCase());
  const chosen = headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === "upgrade");
  return chosen.length === 1 && protocols.includes((chosen[0] as string).trim().toLowerCase());
}

function headText(req: IncomingMessage, { status, reason, headers }: ResponseHead, isSwitched: boolean): string {
  const kept = isSwitched
    ? upgradeHeaders(headers, req.headers.upgrade ?? "")
    : [...endToEndHeaders(headers), "Connection", "close"];
  const lines: string[] = [];
  for (let index = 0; index < kept.length; index += 2) lines.push(`${kept[index]}: ${kept[index + 1]}`);
  return `HTTP/1.1 ${status} ${reason || (STATUS_CODES[status] ?? "")}\r\n${lines.join("\r\n")}\r\n\r\n`;
}
