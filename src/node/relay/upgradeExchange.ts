import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ResetCode } from "../../relay/codes";
import { decodeResponseHead, type ResponseHead } from "../../relay/framePayloads";
import { flagInfo, flagUpgrade } from "../../relay/frames";
import { detached, receiveInto, sendFrom } from "./byteFlow";
import { endSocket } from "./endSocket";
import { endToEndHeaders, upgradeHeaders } from "./headers";
import { holdResponse } from "./heldResponse";
import type { ExchangeRequest } from "./httpExchange";
import { cutSocket } from "./joinSocket";
import type { ResponseStage } from "./pipeline";
import { failureOfReset, visitorErrors, type VisitorError } from "./visitorError";

/** Who asked to switch protocols, and the connection to switch. */
export interface UpgradeVisitor {
  readonly req: IncomingMessage;
  /** What arrived behind the request's head is in it. */
  readonly socket: Duplex;
  /** Answers in the place of the application. */
  readonly refuse: (failure: VisitorError) => void;
}

/** Carries an upgrade, and the bytes of both directions once it was granted. */
export function exchangeUpgrade(request: ExchangeRequest, { req, socket, refuse }: UpgradeVisitor): void {
  const { session, record, onResponse, deadlines } = request;
  const protocol = req.headers.upgrade ?? "";
  const stream = session.openHttp(
    {
      method: req.method ?? "GET",
      target: request.target,
      headers: upgradeHeaders(request.headers, protocol),
      bindId: request.bindId,
      peer: request.peer,
      requestId: record.id,
    },
    flagUpgrade,
  );
  if (stream === undefined) return refuse(visitorErrors.streamLimit);
  if (stream === "tooLarge") return refuse(visitorErrors.headTooLarge);
  record.stream = stream;

  const deadline = deadlines.add(() => {
    stream.reset(ResetCode.TIMEOUT);
    refuse(visitorErrors.upstreamTimeout);
  });
  const onClose = (): void => {
    deadlines.delete(deadline);
    if (!hasBegun || !socket.readableEnded) stream.reset(ResetCode.CANCEL, "The visitor left.");
  };
  let hasBegun = false;
  const fail = (failure: VisitorError): void => {
    deadlines.delete(deadline);
    record.failed(failure.code);
    if (hasBegun) socket.destroy();
    else refuse(failure);
  };
  const begin = (response: ResponseHead, isSwitched: boolean): void => {
    hasBegun = true;
    record.began(response.status, response.headers);
    socket.write(headText(req, response, isSwitched));
  };
  /** Joins both directions; what the application has sent meanwhile comes first. */
  const join = (early: readonly Uint8Array[] = [], hasEnded = false): void => {
    const receive = receiveInto(socket, stream);
    stream.handler = {
      onData: receive,
      onEnd: () => void socket.end(),
      onDrain: sendFrom(socket, stream, () => undefined),
      onReset: ({ code }) => cutSocket(socket, code),
    };
    early.forEach(receive);
    if (hasEnded) socket.end();
  };
  const switchThroughHooks = (response: ResponseHead, look: ResponseStage): void => {
    // What arrives meanwhile is bounded by the window of the stream.
    const early: Uint8Array[] = [];
    let hasEnded = false;
    stream.handler = {
      onData: (bytes) => void early.push(detached(bytes)),
      onEnd: () => (hasEnded = true),
      onReset: ({ code }) => fail(failureOfReset(code)),
    };
    look(response, undefined).then(
      ({ head: changed }) => {
        if (socket.destroyed || stream.isClosed) return;
        begin(changed, true);
        join(early, hasEnded);
      },
      () => {
        stream.reset(ResetCode.CANCEL, "A hook failed.");
        if (!socket.destroyed) fail(visitorErrors.hookFailed);
      },
    );
  };
  socket.once("close", onClose);
  stream.handler = {
    onHead(payload, flags) {
      const response = decodeResponseHead(payload, flags);
      // Interim responses help nothing here.
      if (flags & flagInfo) return;
      deadlines.delete(deadline);
      const isSwitched = (flags & flagUpgrade) !== 0 && response.status === 101;
      // A switch to something else than was asked for would hand over a connection that the visitor cannot read.
      if (response.status === 101 && !(isSwitched && echoes(response, protocol))) {
        stream.reset(ResetCode.INTERNAL, "The response switches to another protocol.");
        return fail(visitorErrors.interrupted);
      }
      if (isSwitched && onResponse === undefined) {
        begin(response, true);
        return join();
      }
      if (isSwitched && onResponse !== undefined) return switchThroughHooks(response, onResponse);
      // What follows an answer that does not switch is its body; nothing more is sent.
      stream.end();
      if (onResponse === undefined) {
        begin(response, false);
        stream.handler = {
          onData: receiveInto(socket, stream),
          onEnd: () => endSocket(socket),
          onReset: ({ code }) => cutSocket(socket, code),
        };
        return;
      }
      // An application that ignores the request to switch answers as always, and hooks see that as always.
      holdResponse({
        stream,
        destination: socket,
        head: response,
        hasBody: req.method !== "HEAD" && response.status !== 204 && response.status !== 304,
        onResponse,
        begin: (changed) => begin(changed, false),
        finish: () => endSocket(socket),
        fail,
      });
    },
    onReset: ({ code }) => fail(failureOfReset(code)),
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
