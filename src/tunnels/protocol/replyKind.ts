import { itemsContentType } from "./headers";
import type { WireTarget } from "./wire";

export const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** Nothing else is an envelope: bytes of any other type may have any author. */
export const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^\s*application\/json\s*(;|$)/i.test(contentType);

/** Whether a body is a stream of items. */
export const isItemsType = (contentType: string | undefined): boolean =>
  contentType?.split(";", 1)[0]?.trim().toLowerCase() === itemsContentType;

/**
 * Whether a reply is handed out as the stream that it is. Only tasks, batches and subscriptions reply with streams, and only
 * successes are read.
 */
export const isStreamedReply = (
  { kind }: WireTarget,
  { status, contentType }: { readonly status: number; readonly contentType: string | undefined },
): boolean => kind !== "event" && isSuccess(status) && !isJson(contentType);
