import type { CallInput } from "../../tunnels/client/callInput";
import type { ClaimedStreams } from "../../tunnels/client/carrier";

/** A stream is one call's, also while nothing of it was read yet. */
const claimed = /* @__PURE__ */ new WeakSet<OwnedStream>();

/** Errors that streams of callers failed with. */
const sourceErrors = /* @__PURE__ */ new WeakSet<object>();

/** Remembers an error as one that a caller's own stream failed with. */
export const noteSourceError = (error: unknown): void =>
  void (typeof error === "object" && error !== null && sourceErrors.add(error));

/** Whether an error is one that a caller's own stream failed with. */
export const isSourceError = (error: unknown): boolean =>
  typeof error === "object" && error !== null && sourceErrors.has(error);

/** The streams of Node and of the web among an input. One that fails by itself fails its call, not the process. */
export const claimStreams = (input: CallInput): ClaimedStreams => new NodeStreams(input);

class NodeStreams implements ClaimedStreams {
  readonly #found: readonly OwnedStream[];
  readonly #owned: OwnedStream[] = [];

  constructor({ value, isStream: isWhole, files }: CallInput) {
    const sources: unknown[] = isWhole ? [value] : files.map(({ _node: node }) => node?.buffer ?? node?.stream);
    const isStream = (source: unknown): source is OwnedStream => typeof source === "object" && source !== null;
    this.#found = [...new Set(sources.filter(isStream))].filter((stream) => !ArrayBuffer.isView(stream));
    for (const stream of this.#found) stream.on?.("error", noteSourceError);
  }

  claim(): void {
    for (const stream of this.#found) {
      if (claimed.has(stream)) throw new Error(usedBefore);
      claimed.add(stream);
      this.#owned.push(stream);
      const { readableEnded, readableDidRead, destroyed, errored, locked } = stream;
      if (errored) throw errored;
      if (readableEnded === true || readableDidRead === true || destroyed === true || locked === true) {
        throw new Error(usedBefore);
      }
    }
  }

  destroy(): void {
    for (const stream of this.#owned) {
      if (stream.destroy !== undefined) stream.destroy();
      // One that is being read is closed by its reader.
      else if (stream.locked === false) stream.cancel?.().catch(() => {});
    }
  }
}

const usedBefore = "A stream to be sent was read, destroyed or given to a call before. Make a new one for each call.";

/** As much of Node's and the web's streams as this needs; other sources have none of it. */
interface OwnedStream {
  on?(event: "error", listener: (error: unknown) => void): void;
  destroy?(): void;
  cancel?(): Promise<void>;
  readonly errored?: Error | null;
  readonly destroyed?: boolean;
  readonly readableEnded?: boolean;
  readonly readableDidRead?: boolean;
  readonly locked?: boolean;
}
