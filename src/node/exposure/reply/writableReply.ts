import type { ServerResponse } from "node:http";
import type { ByteBudget } from "../../../lib/byteBudget";
import type { WireFailure } from "../../../errors/wireErrors";
import type { PaceWatch } from "../../../tunnels/http/paceWatch";
import type { WireResponse } from "../../../tunnels/protocol/wire";
import type { ContentCoding } from "../../contentCodings";
import { negotiateCoding } from "../../server/compression";
import type { HeadOwner, HeadPolicy } from "./replyHead";

/** What the replies of one exposure have in common. */
export interface ReplyPolicy extends HeadPolicy {
  /** Smallest text that is compressed, in bytes; `undefined` compresses nothing. */
  readonly compressFrom: number | undefined;
  /** What is held in memory of bodies and replies. */
  readonly budget: ByteBudget;
  /** Finds replies whose reader takes nothing. */
  readonly readerWatch: PaceWatch;
  /** Finds readers of items that take none. */
  readonly itemsWatch: PaceWatch;
  /** Finds subscribers that take no events. */
  readonly eventsWatch: PaceWatch;
  /** A reply broke off, which its caller sees as a cut connection. */
  readonly onBroken: (error: unknown, requestId: string) => void;
}

/** A reply, as what writes its body sees it. */
export interface WritableReply extends HeadOwner {
  readonly policy: ReplyPolicy;
  /** Cuts the connection of a reader that takes nothing while bytes wait. */
  watchReader(): void;
  /** Reports what the body failed with, unless the caller has left or a failure was reported before. */
  reportFailure(error: unknown): void;
  /** Reports a failure, and cuts what was begun. */
  cut(error: Error): void;
  /** Replies with a refusal instead. */
  refuse(failure: WireFailure): Promise<void> | undefined;
}

/** What stands before a body. */
export interface BodyHead extends Pick<WireResponse, "status" | "headers"> {
  readonly contentType: string;
  readonly flushHeaders?: boolean | undefined;
}

/** The coding that the reader takes, if the exposure compresses. */
export const codingFor = ({ policy, req }: WritableReply): ContentCoding | undefined =>
  policy.compressFrom === undefined ? undefined : negotiateCoding(req.headers["accept-encoding"]);

/** @returns `undefined` where all of a response has left already */
export function whenClosed(res: ServerResponse): Promise<void> | undefined {
  if (res.writableFinished || res.closed) return undefined;
  return new Promise((resolve) => res.once("close", resolve));
}
