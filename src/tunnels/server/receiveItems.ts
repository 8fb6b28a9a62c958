import { invalidJson, itemInputTooLarge, streamLost } from "../../errors/wireErrors";
import type { SerializerLike } from "../../serializer/codec";
import { itemLimits, type ResolvedStreamLimits } from "../protocol/items";
import type { ItemsBody } from "../protocol/wire";

/** A call that sends items. */
export interface ReceivedCall {
  readonly input: unknown;
  /** They come as they are asked for, once. */
  readonly items: AsyncIterable<unknown>;
}

/** What reading such a call takes, beside the bytes. */
export interface ReceiveOptions {
  /** Of the task. */
  readonly id: string;
  readonly serializer: SerializerLike;
  readonly limits?: ResolvedStreamLimits | undefined;
}

/**
 * Reads the line of the input of a call that sends items, and gives the items behind it as they come.
 *
 * @throws {WireFailure} (as a rejection, and from the items) 400 a line makes no sense or the last one is missing, 413 a line is
 * too long
 */
export async function receiveItems(
  { stream }: ItemsBody,
  { id, serializer, limits = itemLimits }: ReceiveOptions,
): Promise<ReceivedCall> {
  const { ReceivedItems } = await import("../protocol/receivedItems");
  const source = new ReceivedItems(stream, {
    lineBytes: limits.lineBytes,
    // At one each 15 seconds, more than anything lasts.
    emptyBytes: limits.lineBytes,
    silenceMs: limits.silenceMs,
    parse: (line) => serializer.parse(line),
    failureOf: () => streamLost("The stream was lost: its sender gave it up."),
    fail(code, message, cause) {
      if (code === "INVALID_RESPONSE") return invalidJson(cause);
      return code === "ITEM_TOO_LARGE" ? itemInputTooLarge(id, limits.lineBytes) : streamLost(message, cause);
    },
    onEnd() {},
  });
  const head = await source.head();
  if (typeof head !== "object" || head === null || Array.isArray(head) || !isInput(head)) {
    await source.cancel();
    throw invalidJson();
  }
  const iterator: AsyncIterableIterator<unknown> = {
    next: () => source.next(),
    async return() {
      await source.cancel();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return { input: (head as { readonly input?: unknown }).input, items: iterator };
}

/** The first line may say nothing, of a task without input; one of another kind would be lost. */
const isInput = (head: object): boolean =>
  Object.hasOwn(head, "input") || !(Object.hasOwn(head, "item") || Object.hasOwn(head, "ok"));
