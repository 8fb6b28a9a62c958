import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { TunnelError } from "../../../errors/tunnelError";
import type { NatsLink } from "../link";
import { loadNats } from "../loadNats";
import { deadStream, eventStream, subjectPrefix } from "../subjects";

/** How long events, and those that were given up, are kept where a stream has to be made, in ms. */
const eventsAgeMs = 604_800_000;
const deadAgeMs = 2_592_000_000;
/** How long the broker remembers which events it has, in ms. */
const duplicateWindowMs = 120_000;

const nanos = (ms: number): number => ms * 1_000_000;

/** The streams of a namespace: made where they are missing, compared with what is needed, never altered. */
export class Streams {
  readonly #link: NatsLink;
  readonly #namespace: string;
  readonly #ensured = new Map<string, Promise<void>>();
  #manager: Promise<JetStreamManager> | undefined;

  constructor(link: NatsLink, namespace: string) {
    this.#link = link;
    this.#namespace = namespace;
  }

  /** What manages streams and consumers. */
  manager(): Promise<JetStreamManager> {
    this.#manager ??= loadNats("@nats-io/jetstream").then(({ jetstreamManager }) =>
      jetstreamManager(this.#link.connection),
    );
    this.#manager.catch(() => (this.#manager = undefined));
    return this.#manager;
  }

  /** @throws {TunnelError} (as a rejection) `STREAM_MISMATCH` */
  ensureEvents(): Promise<void> {
    return this.#ensure(eventStream(this.#namespace), subjectPrefix(this.#namespace, "event"), eventsAgeMs);
  }

  /** As above, of events that were given up. */
  ensureDead(): Promise<void> {
    return this.#ensure(deadStream(this.#namespace), subjectPrefix(this.#namespace, "dead"), deadAgeMs);
  }

  /** The stream may have been deleted. */
  forget(): void {
    this.#ensured.clear();
  }

  #ensure(name: string, prefix: string, maxAgeMs: number): Promise<void> {
    let ensuring = this.#ensured.get(name);
    if (ensuring === undefined) {
      ensuring = this.#open(name, `${prefix}>`, maxAgeMs);
      this.#ensured.set(name, ensuring);
      ensuring.catch(() => this.#ensured.delete(name));
    }
    return ensuring;
  }

  async #open(name: string, subject: string, maxAgeMs: number): Promise<void> {
    const { streams } = await this.manager();
    const known = (await infoOf(streams, name)) ?? (await this.#create(name, subject, maxAgeMs));
    if (known !== undefined) assertFits(known, subject);
  }

  /** Another process may be the first. */
  async #create(name: string, subject: string, maxAgeMs: number): Promise<StreamInfo | undefined> {
    const { streams } = await this.manager();
    try {
      await streams.add({
        name,
        subjects: [subject],
        max_age: nanos(maxAgeMs),
        duplicate_window: nanos(duplicateWindowMs),
      });
      return undefined;
    } catch (error) {
      const known = await infoOf(streams, name);
      if (known === undefined) throw error;
      return known;
    }
  }
}

async function infoOf(streams: JetStreamManager["streams"], name: string): Promise<StreamInfo | undefined> {
  try {
    return await streams.info(name);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a stream or a consumer is not there, by the codes of the API of JetStream. */
export const isMissing = (error: unknown): boolean => missing.has((error as { readonly code?: unknown }).code);

const missing: ReadonlySet<unknown> = /* @__PURE__ */ new Set([10_059, 10_014]);

function assertFits({ config }: StreamInfo, subject: string): void {
  const { name, subjects, retention, sealed, no_ack: noAck } = config;
  if (!subjects?.includes(subject)) throw mismatch(name, `it has to keep ${subject}, and keeps ${String(subjects)}`);
  // Several services read it, each at its own pace.
  if (retention !== "limits") throw mismatch(name, `its retention has to be "limits", and is "${retention}"`);
  if (sealed) throw mismatch(name, "it is sealed");
  if (noAck === true) throw mismatch(name, "it acknowledges nothing (no_ack), and whoever publishes waits for that");
}

/** What exists is not what is needed; it may hold data, so that it stays as it is. */
export const mismatch = (name: string, problem: string): TunnelError =>
  new TunnelError(
    "STREAM_MISMATCH",
    `"${name}" does not fit: ${problem}.\n  fix: alter it by the command nats, or take another namespace. It is never altered by itself.`,
    { name },
  );
