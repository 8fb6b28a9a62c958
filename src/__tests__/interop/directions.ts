import type { Published } from "./interopApp";
import { startOurs, type Ours } from "./localPlayer";
import { startPublished, type Player, type PublishedPeer } from "./publishedPeer";
import type { ClientKind } from "./scenarios";

export type Direction = "theirs calls ours" | "ours calls theirs";

/** Who calls whom, with which client: in the form of `describe.each`. */
export type Row = readonly [published: Published, direction: Direction, kind: ClientKind];

const every: readonly ClientKind[] = ["fetch", "universal", "smart", "mixed"];

/** Clients of theirs: 5.5 has no "fetch" any more. */
export const theirClients: Record<Published, readonly ClientKind[]> = {
  "runner-52": every,
  "runner-55": every.filter((kind) => kind !== "fetch"),
};

export const rows: readonly Row[] = (["runner-52", "runner-55"] as const).flatMap((published) => [
  ...theirClients[published].map((kind): Row => [published, "theirs calls ours", kind]),
  ...every.map((kind): Row => [published, "ours calls theirs", kind]),
]);

/** Both published packages, each in a process of its own, and ours in this one. */
export interface Interop extends AsyncDisposable {
  readonly ours: Ours;
  readonly peers: Readonly<Record<Published, PublishedPeer>>;
  playerOf(row: Row): Player;
}

export async function startInterop(): Promise<Interop> {
  const [ours, v52, v55] = await Promise.all([startOurs(), startPublished("runner-52"), startPublished("runner-55")]);
  const peers = { "runner-52": v52, "runner-55": v55 };
  return {
    ours,
    peers,
    playerOf: ([published, direction, kind]) =>
      direction === "theirs calls ours"
        ? peers[published].client(kind, ours.baseUrl)
        : ours.client(kind, peers[published].baseUrl),
    async [Symbol.asyncDispose]() {
      await Promise.all([v52, v55].map((peer) => peer[Symbol.asyncDispose]()));
      await ours.dispose();
    },
  };
}
