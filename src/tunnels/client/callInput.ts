import type { FileSentinel } from "../../platform/inputFile";
import { findFiles } from "../files/findFiles";
import type { ByteStream } from "../protocol/wire";

/** What a call is to send. */
export interface CallInput {
  readonly value: unknown;
  /** Whether the value is bytes that are the whole input. */
  readonly isStream: boolean;
  /** Sentinels among the value that bring something along. */
  readonly files: readonly FileSentinel[];
}

/** @throws {TypeError} as `findFiles` */
export function readCallInput(value: unknown): CallInput {
  if (isStream(value)) return { value, isStream: true, files: [] };
  return { value, isStream: false, files: findFiles(value) };
}

/** A Node stream or a web stream. */
function isStream(input: unknown): input is ByteStream {
  if (typeof input !== "object" || input === null) return false;
  const { pipe, getReader } = input as { pipe?: unknown; getReader?: unknown };
  return typeof pipe === "function" || typeof getReader === "function";
}

/**
 * The streams that a call has taken over.
 *
 * A call that fails, wherever it does, leaves none of them open; one that fails by itself meanwhile fails the call, not
 * the process.
 */
export class TakenStreams {
  readonly #streams: readonly OwnedStream[];

  constructor({ value, isStream: isWhole, files }: CallInput) {
    const streams: unknown[] = isWhole ? [value] : files.map(({ _node: node }) => node?.buffer ?? node?.stream);
    this.#streams = streams.filter((stream): stream is OwnedStream => typeof stream === "object" && stream !== null);
    for (const stream of this.#streams) stream.on?.("error", () => {});
  }

  /** @throws {Error} one of them was read before, so that nothing or half of it would be sent */
  assertUnread(): void {
    for (const { readableEnded, readableDidRead, destroyed, errored, locked } of this.#streams) {
      if (errored) throw errored;
      if (readableEnded === true || readableDidRead === true || destroyed === true || locked === true) {
        throw new Error("A stream to be sent was read or destroyed before. Make a new one for each call.");
      }
    }
  }

  destroy(): void {
    for (const stream of this.#streams) {
      if (stream.destroy !== undefined) stream.destroy();
      // One that is being read is closed by its reader.
      else if (stream.locked === false) stream.cancel?.().catch(() => {});
    }
  }
}

/** As much of Node's and the web's streams as this needs; other sources have none of it. */
interface OwnedStream {
  on?(event: "error", listener: () => void): void;
  destroy?(): void;
  cancel?(): Promise<void>;
  readonly errored?: Error | null;
  readonly destroyed?: boolean;
  readonly readableEnded?: boolean;
  readonly readableDidRead?: boolean;
  readonly locked?: boolean;
}
