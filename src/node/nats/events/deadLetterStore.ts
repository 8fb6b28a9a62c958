import type { StoredMsg } from "@nats-io/jetstream";
import { deadHeaders, messageIdHeader, onlyHeader } from "../messageHeaders";
import type { NatsLink } from "../link";
import { loadNats } from "../loadNats";
import { deadStream, escapeId, subjectPrefix, unescapeId } from "../subjects";
import { isMissing, Streams } from "./streams";

/** An event that a service has given up. */
export interface DeadLetter {
  /** Names it, in the stream of the namespace. */
  readonly sequence: number;
  readonly service: string;
  readonly event: string;
  readonly code: string;
  readonly message: string;
  readonly deliveries: number;
  /** When it was given up. */
  readonly at: Date;
  /** As it was published; compressed, if it was. */
  readonly bytes: Uint8Array;
}

/** Which of them. */
export interface DeadLetterFilter {
  readonly service?: string | undefined;
  readonly event?: string | undefined;
  readonly sequences?: readonly number[] | undefined;
}

/** Reads what the services of a namespace have given up, publishes it once more, or drops it. */
export class DeadLetterStore {
  readonly #link: NatsLink;
  readonly #namespace: string;
  readonly #streams: Streams;

  constructor(link: NatsLink, namespace: string) {
    this.#link = link;
    this.#namespace = namespace;
    this.#streams = new Streams(link, namespace);
  }

  /** The oldest first; what comes meanwhile is not among them. */
  async *list({ service, event, sequences }: DeadLetterFilter = {}): AsyncGenerator<DeadLetter> {
    const { streams } = await this.#streams.manager();
    const stream = deadStream(this.#namespace);
    const info = await streams.info(stream).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (info === undefined || info.state.messages === 0) return;
    const { first_seq: first, last_seq: last } = info.state;
    for (let sequence = first; sequence <= last; sequence++) {
      if (sequences !== undefined && !sequences.includes(sequence)) continue;
      const message = await this.#read(sequence);
      if (message === undefined) continue;
      const letter = this.#letterOf(message);
      if (service !== undefined && letter.service !== service) continue;
      if (event !== undefined && letter.event !== event) continue;
      yield letter;
    }
  }

  /** Publishes it for the service that has given it up, and for no other one; then it is dropped. */
  async replay({ sequence, service, event }: DeadLetter): Promise<void> {
    const message = await this.#read(sequence);
    if (message === undefined) return;
    const { jetstream } = await loadNats("@nats-io/jetstream");
    const ours: ReadonlySet<string> = new Set([...Object.values(deadHeaders), messageIdHeader, onlyHeader]);
    const headers = this.#link.headersOf({ [onlyHeader]: service });
    for (const [name, values] of message.header ?? []) {
      // What the broker adds by itself is not published.
      if (ours.has(name) || name.startsWith("Nats-")) continue;
      for (const value of values) headers.append(name, value);
    }
    const subject = subjectPrefix(this.#namespace, "event") + escapeId(event);
    // A command that was stopped before it dropped it may be given again.
    const msgID = `replay:${service}:${sequence}`;
    await jetstream(this.#link.connection).publish(subject, message.data, { headers, msgID });
    await this.drop({ sequence });
  }

  async drop({ sequence }: Pick<DeadLetter, "sequence">): Promise<void> {
    const { streams } = await this.#streams.manager();
    await streams.deleteMessage(deadStream(this.#namespace), sequence);
  }

  /** Each that was dropped leaves a gap. */
  async #read(sequence: number): Promise<StoredMsg | undefined> {
    const { streams } = await this.#streams.manager();
    try {
      return (await streams.getMessage(deadStream(this.#namespace), { seq: sequence })) ?? undefined;
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === noMessage) return undefined;
      throw error;
    }
  }

  #letterOf({ seq, subject, header, data, time }: StoredMsg): DeadLetter {
    const rest = subject.slice(subjectPrefix(this.#namespace, "dead").length);
    const escaped = rest.slice(rest.indexOf(".") + 1);
    return {
      sequence: seq,
      service: header.get(deadHeaders.service) || rest.slice(0, rest.indexOf(".")),
      event: unescapeId(escaped) ?? escaped,
      code: header.get(deadHeaders.code),
      message: header.get(deadHeaders.message),
      deliveries: Number(header.get(deadHeaders.deliveries)) || 0,
      at: time,
      bytes: data,
    };
  }
}

/** By the API of JetStream. */
const noMessage = 10_037;
