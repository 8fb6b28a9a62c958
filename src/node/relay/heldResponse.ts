import { PassThrough, type Writable } from "node:stream";
import { ResetCode } from "../../relay/codes";
import type { FlatHeaders, ResponseHead } from "../../relay/framePayloads";
import type { MuxStream } from "../../relay/muxStream";
import { receiveInto } from "./byteFlow";
import type { ResponseStage } from "./pipeline";
import { failureOfReset, visitorErrors, type VisitorError } from "./visitorError";

/** A response that is held back until its hooks have looked at it. */
export interface HeldResponse {
  readonly stream: MuxStream;
  readonly destination: Writable;
  readonly head: ResponseHead;
  readonly hasBody: boolean;
  /** Size of the body as its head says, in bytes. */
  readonly bodyBytes?: number | undefined;
  readonly onResponse: ResponseStage;
  /** Sends the head. */
  readonly begin: (head: ResponseHead) => void;
  /** Everything was sent. */
  readonly finish: (trailers: FlatHeaders | undefined) => void;
  /** Answers by itself, or cuts what has begun. */
  readonly fail: (failure: VisitorError) => void;
}

/** Takes what follows the head of a response; hooks see it, and then the destination, at its own pace. */
export function holdResponse(response: HeldResponse): void {
  const { stream, destination, head, hasBody, onResponse, begin, finish, fail } = response;
  const held = new PassThrough();
  const receive = receiveInto(held, stream);
  let leftBytes = response.bodyBytes;
  const cut = (): void => {
    stream.reset(ResetCode.BODY_LENGTH, "The response has another length than its head says.");
    fail(visitorErrors.interrupted);
    held.destroy();
  };
  let trailers: FlatHeaders | undefined;
  held.on("error", () => {});
  destination.once("close", () => held.destroy());
  const { handler } = stream;
  stream.handler = {
    onDrain: () => handler.onDrain?.(),
    onData(bytes) {
      if (leftBytes !== undefined && (leftBytes -= bytes.length) < 0) cut();
      else receive(bytes);
    },
    onTrailers: (received) => (trailers = received),
    onEnd: () => void (leftBytes ? cut() : held.end()),
    onReset({ code }) {
      fail(failureOfReset(code));
      held.destroy();
    },
  };
  const giveUp = (): void => {
    stream.reset(ResetCode.CANCEL, "A hook failed.");
    if (!destination.destroyed) fail(visitorErrors.hookFailed);
    held.destroy();
  };
  const send = ({ head: changed, body = held, isBodyChanged }: Awaited<ReturnType<ResponseStage>>): void => {
    if (destination.destroyed || held.destroyed) return void body.destroy();
    begin(changed);
    destination.once("close", () => body.destroy());
    body.once("error", giveUp);
    body.once("end", () => {
      // They may tell of the body as it was.
      finish(isBodyChanged ? undefined : trailers);
      // The application may still send what was replaced.
      if (!held.readableEnded) stream.reset(ResetCode.CANCEL, "The rest is not needed.");
    });
    body.pipe(destination, { end: false });
  };
  onResponse(head, hasBody ? held : undefined)
    .then(send)
    .catch(giveUp);
}
