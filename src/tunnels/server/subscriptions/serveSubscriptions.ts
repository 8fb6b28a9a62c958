import {
  exposureNotEnabled,
  notExposed,
  serverClosing,
  subscriptionNotAcceptable,
  tooManySubscriptions,
} from "../../../errors/wireErrors";
import type { IEvent } from "../../../define/event";
import type { EventManager } from "../../../runtime/events/eventManager";
import type { SerializerLike } from "../../../serializer/codec";
import { emissionIdHeader, heartbeatHeader, itemsContentType, viaHeader } from "../../protocol/headers";
import { emissionPathHeaders } from "../../protocol/emissionPath";
import { acceptsItems, inOneLine, type ResolvedStreamLimits } from "../../protocol/items";
import {
  eventLine,
  gapLine,
  openLine,
  pathLine,
  type GapReason,
  type ResolvedSubscriptionLimits,
} from "../../protocol/subscriptions";
import type { WireRequest, WireResponse } from "../../protocol/wire";
import type { AllowList } from "../allowList";
import { errorText } from "../errorReply";
import { readBody, readInput } from "../readInput";
import { readText } from "../serveEmission";
import { EventChannel } from "./eventChannel";
import { readSubscription } from "./readSubscription";
import { Subscriber } from "./subscriber";

/** What serving subscriptions takes. */
export interface SubscriptionParts {
  readonly eventManager: EventManager;
  readonly serializer: SerializerLike;
  readonly limits: ResolvedSubscriptionLimits;
  readonly streams: Pick<ResolvedStreamLimits, "heartbeatMs" | "lineBytes">;
  /** Receives why the emission of an event reaches no subscriber. */
  readonly onUnwritable: (eventId: string, error: unknown) => void;
}

/** Largest body of a subscription, in bytes: a hundred ids and as many places. */
const maxBodyBytes = 65_536;

/** The subscriptions that a server has open, and what it keeps of the events that were subscribed to. */
export class Subscriptions {
  readonly #parts: SubscriptionParts;
  readonly #channels = new Map<string, EventChannel>();
  readonly #encoder = new TextEncoder();
  #count = 0;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
  }

  /**
   * Replies with events.
   *
   * @param reachable what the caller may listen to
   * @throws {WireFailure} (as a rejection) it may not, or what it asks for makes no sense
   */
  async open(request: WireRequest, reachable: AllowList): Promise<WireResponse> {
    const { limits, serializer } = this.#parts;
    if (!acceptsItems(request.headers["accept"])) throw subscriptionNotAcceptable();
    this.#assertRoom();
    const text = await readText(request.body, maxBodyBytes);
    readBody(text, serializer);
    const wanted = readSubscription(readInput(text, serializer), limits.events);
    const events = wanted.events.map((id) => admit(reachable, id));
    // Others may have come while the body was read.
    this.#assertRoom();
    return this.#begin(request, events, wanted);
  }

  /** Registers and replays without a pause in which something could be emitted. */
  #begin(request: WireRequest, events: readonly IEvent[], wanted: ReturnType<typeof readSubscription>): WireResponse {
    const { limits, streams, serializer } = this.#parts;
    const channels = events.map((event) => this.#channelOf(event));
    let onReleased!: () => void;
    const released = new Promise<void>((resolve) => (onReleased = resolve));
    // It may be called before it is known.
    const watching = { stop: (): void => {} };
    this.#count += 1;
    const subscriber = new Subscriber({
      heartbeatMs: streams.heartbeatMs,
      queuedBytes: limits.queuedBytes,
      drainMs: limits.drainMs,
      tellSkipped: (event, missed) => this.#gap(event, "slow", missed),
      onEnd: () => {
        this.#count -= 1;
        for (const channel of channels) channel.delete(subscriber);
        watching.stop();
        onReleased();
      },
    });
    const positions = new Map<string, string>();
    const replayed = channels.flatMap((channel) => {
      const { position, lines } = channel.add(subscriber, wanted.after.get(channel.id), wanted.wantsPath);
      positions.set(channel.id, position);
      return lines;
    });
    subscriber.begin([this.#bytes(openLine(positions, serializer)), ...replayed]);
    watching.stop = request.edge?.onClosing?.(() => subscriber.end(this.#closingLine())) ?? watching.stop;
    return {
      status: 200,
      contentType: itemsContentType,
      headers: {
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
        [heartbeatHeader]: String(streams.heartbeatMs),
      },
      body: { kind: "stream", stream: subscriber, isItems: "subscription", released },
    };
  }

  #channelOf(event: IEvent): EventChannel {
    const { id } = event;
    const known = this.#channels.get(id);
    if (known !== undefined) return known;
    const { eventManager, limits } = this.#parts;
    const channel = new EventChannel(id, limits.ring, {
      event: (cursor, payload) => this.#eventLine(id, cursor, payload),
      gap: (reason, missed) => this.#gap(id, reason, missed),
    });
    this.#channels.set(id, channel);
    eventManager.tap(id, (emission, scope) => {
      const path = channel.keepsPaths ? emissionPathHeaders({ run: eventManager, emission, scope }) : undefined;
      const told = path && { id: String(path[emissionIdHeader]), via: String(path[viaHeader]) };
      channel.publish(emission.data, told && this.#bytes(pathLine(id, told)));
    });
    return channel;
  }

  /** Must not throw: what is emitted is not a subscriber's business. */
  #eventLine(id: string, cursor: string, payload: unknown): Uint8Array | undefined {
    const { serializer, streams, onUnwritable } = this.#parts;
    try {
      const line = this.#bytes(eventLine(id, cursor, payload, serializer));
      if (line.byteLength - 1 > streams.lineBytes) throw new Error(tooLong(id, streams.lineBytes));
      return line;
    } catch (error) {
      onUnwritable(id, error);
      return undefined;
    }
  }

  #gap(event: string, reason: GapReason, missed: number | null): Uint8Array {
    return this.#bytes(gapLine(event, reason, missed, this.#parts.serializer));
  }

  #closingLine(): Uint8Array {
    return this.#bytes(inOneLine(errorText(serverClosing(), this.#parts.serializer, () => {})));
  }

  #bytes(line: string): Uint8Array {
    return this.#encoder.encode(`${line}\n`);
  }

  #assertRoom(): void {
    if (this.#count >= this.#parts.limits.open) throw tooManySubscriptions();
  }
}

const tooLong = (id: string, limitBytes: number): string =>
  `Event ${id} was emitted with a payload that takes more than ${limitBytes} bytes: its subscribers miss it.`;

/** One answer for all that may not be listened to, whether it exists or not. @throws {WireFailure} 403 */
function admit({ enabled, open, subscribable }: AllowList, id: string): IEvent {
  const served = subscribable.get(id);
  if (served !== undefined) return served.event;
  throw enabled || open ? notExposed("Event", id) : exposureNotEnabled();
}
