import type { MuxLink } from "./muxLink";

/** The link with the shortest queue, then with the fewest streams. @returns `undefined` where there is none */
export function leastLoaded(links: readonly MuxLink[]): MuxLink | undefined {
  let best: MuxLink | undefined;
  for (const link of links) {
    const isBetter =
      best === undefined ||
      link.queuedBytes < best.queuedBytes ||
      (link.queuedBytes === best.queuedBytes && link.streams.size < best.streams.size);
    if (isBetter) best = link;
  }
  return best;
}
