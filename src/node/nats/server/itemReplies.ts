import { requestIdHeader } from "../../../tunnels/protocol/headers";
import type { ReplyBody, WireResponse } from "../../../tunnels/protocol/wire";
import type { NatsLink } from "../link";
import { frameHeader, statusHeader, workerHeader } from "../messageHeaders";
import type { Beats } from "./beats";
import type { NatsCall } from "./natsCall";
import { replyOfflineMs } from "./natsReply";
import { SentFrames } from "./sentFrames";

/** A reply of items. */
export type ItemsResponse = WireResponse & { readonly body: ReplyBody & { readonly kind: "stream" } };

export const isItemsResponse = (response: WireResponse): response is ItemsResponse =>
  response.body.kind === "stream" && response.body.isItems === true;

interface OpenReply {
  readonly call: NatsCall;
  readonly frames: SentFrames;
}

export interface ItemRepliesParts {
  readonly link: NatsLink;
  readonly workerId: string;
  readonly beats: Beats;
  readonly drainMs: number;
}

/** The replies of items that one server has under way, by the addresses they go to. */
export class ItemReplies {
  readonly #parts: ItemRepliesParts;
  readonly #open = new Map<string, OpenReply>();
  readonly #stopListening: () => void;

  constructor(parts: ItemRepliesParts) {
    this.#parts = parts;
    // What was sent may not have arrived, and no number says so before the next one.
    this.#stopListening = parts.link.listen({ onLost: () => this.#stopAll() });
  }

  /** Sends a reply. Resolves when it is over, and its task has ended. */
  async send(call: NatsCall, { body, ...head }: ItemsResponse): Promise<void> {
    const { link, workerId, beats, drainMs } = this.#parts;
    const { address, requestId } = call;
    const frames = new SentFrames(body.stream, {
      link,
      address,
      drainMs,
      offlineMs: replyOfflineMs,
      onSent: () => (call.isHeard = true),
    });
    this.#open.set(address, { call, frames });
    beats.keep(call);
    try {
      link.publish(address, undefined, {
        headers: link.headersOf({
          ...head.headers,
          "content-type": head.contentType,
          [statusHeader]: String(head.status),
          [requestIdHeader]: requestId,
          [frameHeader]: "items",
          [workerHeader]: workerId,
        }),
      });
      if (!link.isOnline) frames.stop("lost");
      await frames.send();
    } finally {
      this.#open.delete(address);
      beats.delete(call);
      await body.released;
    }
  }

  grant(address: string, taken: number): void {
    this.#open.get(address)?.frames.grant(taken);
  }

  /** The caller has left. */
  cancel(address: string): void {
    const reply = this.#open.get(address);
    reply?.call.cancel();
    reply?.frames.stop("left");
  }

  /** They end with what the server says that it closes. */
  shutDown(): void {
    for (const { call, frames } of this.#open.values()) {
      call.shutDown();
      frames.hurry();
    }
  }

  close(): void {
    this.#stopListening();
  }

  #stopAll(): void {
    for (const { call, frames } of this.#open.values()) {
      call.cancel();
      frames.stop("lost");
    }
  }
}
