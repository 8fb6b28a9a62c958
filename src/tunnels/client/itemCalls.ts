// Loaded for streams of items alone: of what clients begin with it imports types, or bundlers would move what both share into a
// further file, with which pages would begin.
import type { ItemsOption } from "../../define/itemInput";
import type { InFlight } from "../../lib/inFlight";
import { ItemReader, type ItemSource } from "../../lib/itemReader";
import type { ItemReading, ItemStreamEnd } from "../../lib/itemStream";
import { ReceivedItems } from "../protocol/receivedItems";
import { silenceLimit } from "../protocol/silence";
import type { WireResponse } from "../protocol/wire";
import type { CallInput } from "./callInput";
import type { Carrier } from "./carrier";
import type { CallCodec } from "./codec";
import type { ClientCallOptions, StreamCallOptions } from "./remoteClient";
import type { SentItems } from "./sentItems";

/** Longest line that is read, in bytes. */
const maxLineBytes = 1_048_576;

/** Runs a function in the contexts of a call. */
export type Enter = <R>(fn: () => R) => R;

/** Calls a task, with what is to be sent beside its input. */
export type RunTask = (
  id: string,
  input: CallInput,
  call: ClientCallOptions | undefined,
  sent?: SentItems,
) => Promise<unknown>;

/** What a client gives for its calls with items. */
export interface ItemCallsParts {
  readonly codec: CallCodec;
  readonly accepts: Carrier["accepts"];
  readonly inFlight: InFlight;
  /** How long a stream may bring nothing, in ms; at least three heartbeats of the server. */
  readonly silenceMs: number | undefined;
  /** Calls a task that replies once, and one that replies with items: the reply as it is. */
  readonly run: RunTask;
  readonly runForItems: RunTask;
  /** What a reply says of its stream of items. @returns `undefined` when it is none */
  readonly readHead: (response: WireResponse) => { readonly heartbeatMs: number } | undefined;
  /** Makes an error of the client itself. */
  readonly fail: (code: string, message: string, cause: unknown, requestId?: string) => Error;
  /** Adds to an error which call it was. */
  readonly locate: (error: Error, id: string) => Error;
  readonly requestIdOf: (response: WireResponse) => string | undefined;
}

/** The calls of one client that send or receive items. */
export class ItemCalls {
  readonly #parts: ItemCallsParts;

  constructor(parts: ItemCallsParts) {
    this.#parts = parts;
  }

  /** Calls a task that takes items, and replies once. */
  async task(
    id: string,
    input: unknown,
    call: ClientCallOptions & ItemsOption<unknown>,
    enter: Enter,
  ): Promise<unknown> {
    const sent = await this.#sentItems(call, enter);
    const { run, codec } = this.#parts;
    try {
      return await sent.around(run)(id, codec.readInput(input), call);
    } finally {
      sent.stop();
    }
  }

  /** Calls a streamed task: when its first item is asked for. */
  async open(
    id: string,
    input: unknown,
    call: StreamCallOptions & Partial<ItemsOption<unknown>>,
    { enter, end }: { readonly enter: Enter; readonly end: ItemStreamEnd },
  ): Promise<ItemReading> {
    const { runForItems, codec } = this.#parts;
    const sent = sendsItems(call) ? await this.#sentItems(call, enter) : undefined;
    const run = sent?.around(runForItems) ?? runForItems;
    const begin = (signal: AbortSignal): Promise<ItemSource> =>
      enter(async () => {
        const response = (await run(id, codec.readInput(input), { ...call, signal })) as WireResponse;
        try {
          return await this.#received(id, response, () => sent?.stop());
        } catch (error) {
          throw sent === undefined ? error : sent.failureOf(id, error);
        }
      });
    return new ItemReader({ begin, signal: sent?.signal ?? call.signal }, end);
  }

  /** What is to be sent beside the input of a call. */
  async #sentItems({ items, signal }: ClientCallOptions & ItemsOption<unknown>, enter: Enter): Promise<SentItems> {
    const { SentItems: Sent } = await import("./sentItems");
    const { codec, accepts, fail } = this.#parts;
    return new Sent(items, { codec, accepts, enter, signal, fail });
  }

  async #received(id: string, response: WireResponse, stop: () => void): Promise<ItemSource> {
    const { codec, inFlight, silenceMs = 45_000, readHead, fail, locate, requestIdOf } = this.#parts;
    const { body } = response;
    const requestId = requestIdOf(response);
    const head = readHead(response);
    const failHere = (code: string, message: string, cause?: unknown): Error =>
      locate(fail(code, message, cause, requestId), id);
    if (body.kind !== "stream" || head === undefined) {
      stop();
      if (body.kind === "stream") void body.stream[Symbol.asyncIterator]().return?.();
      else await codec.decodeTask(response);
      const message = `Task "${id}" did not reply with items: it does not stream, or its server is older.`;
      throw failHere("NOT_A_STREAM", message);
    }
    inFlight.enter();
    return new ReceivedItems(body.stream, {
      lineBytes: maxLineBytes,
      silenceMs: silenceLimit(silenceMs, head.heartbeatMs),
      parse: codec.decodeLine,
      failureOf: (error) => codec.failureOf(error, requestId),
      fail: failHere,
      onEnd() {
        stop();
        inFlight.leave();
      },
    });
  }
}

const sendsItems = <C extends object>(call: C & Partial<ItemsOption<unknown>>): call is C & ItemsOption<unknown> =>
  call.items !== undefined;
