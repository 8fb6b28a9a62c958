import type { Msg } from "@nats-io/transport-node";
import { TunnelError } from "../../../errors/tunnelError";
import type { WireResponse } from "../../../tunnels/protocol/wire";
import { controlSubject, sendGrant } from "../itemFrames";
import type { NatsLink } from "../link";
import { headerOf, readHeaders, statusHeader } from "../messageHeaders";
import type { PendingCall, PendingCalls } from "./pendingCalls";
import { ReceivedFrames } from "./receivedFrames";

/** A call that is answered by items. */
export interface ItemsCall {
  readonly call: PendingCall;
  readonly namespace: string;
  readonly link: NatsLink;
  readonly pending: PendingCalls;
}

/**
 * Has a call take a reply of items: its head settles the call, and the frames that follow are the bytes of the reply. Until they
 * are over the call is under way.
 */
export function readItems(
  { call, namespace, link, pending }: ItemsCall,
  resolve: (response: WireResponse) => void,
  cancel: (worker: string) => void,
): void {
  let frames: ReceivedFrames | undefined;
  const onFailed = call.onFailed.bind(call);
  const onReply = call.onReply.bind(call);

  function open(message: Msg): void {
    const headers = readHeaders(message.headers);
    const worker = call.worker ?? "";
    let onEnded!: () => void;
    const ended = new Promise<void>((settle) => (onEnded = settle));
    frames = new ReceivedFrames({
      subject: call.subject,
      grant: (taken) => sendGrant(link, namespace, { worker, address: call.address, taken }),
      cancel: () => cancel(worker),
      onEnd() {
        pending.delete(call);
        onEnded();
      },
    });
    // However short the call was to be: its time ends with its head.
    call.isWatched = true;
    call.granting = controlSubject(namespace, worker);
    resolve({
      status: Number(headerOf(headers, statusHeader) ?? 200),
      contentType: headerOf(headers, "content-type"),
      headers,
      body: { kind: "stream", stream: frames, isItems: true, ended },
    });
  }

  call.onItems = (kind, message) => {
    if (kind !== "items") frames?.receive(kind, message);
    else if (frames === undefined) open(message);
  };
  call.onFailed = (error) => {
    frames?.fail(error);
    onFailed(error);
  };
  call.onReply = (message) => {
    frames?.fail(new TunnelError("INVALID_RESPONSE", `The stream of ${call.subject} was answered by something else.`));
    onReply(message);
  };
}
