import type { CallInput } from "../../tunnels/client/callInput";
import type { TakenStreams } from "../../tunnels/client/createTunnelClient";

/** The streams of Node and of the web among an input. One that fails by itself fails its call, not the process. */
export class NodeTakenStreams implements TakenStreams {
  readonly #streams: readonly OwnedStream[];

  constructor({ value, isStream: isWhole, files }: CallInput) {
    const streams: unknown[] = isWhole ? [value] : files.map(({ _node: node }) => node?.buffer ?? node?.stream);
    this.#streams = streams.filter((stream): stream is OwnedStream => typeof stream === "object" && stream !== null);
    for (const stream of this.#streams) stream.on?.("error", () => {});
  }

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
