import * as runner from "../../node";
import { createShared, serveInterop, type ServedInterop } from "./interopApp";
import type { Player } from "./publishedPeer";
import { scenarios, type ClientKind } from "./scenarios";

/** Ours at work in this process. */
export interface Ours extends ServedInterop {
  /** Our client of a kind, calling a server of theirs. */
  client(kind: ClientKind, baseUrl: string): Player;
}

export async function startOurs(http?: runner.NodeExposureHttpConfig): Promise<Ours> {
  const shared = createShared(runner);
  const served = await serveInterop(runner, shared, http);
  return {
    ...served,
    client: (kind, baseUrl) => ({
      play(scenario, ...parameters) {
        const play = scenarios[scenario] as (...args: unknown[]) => Promise<unknown>;
        return play({ runner, shared, kind, baseUrl }, ...parameters) as never;
      },
    }),
  };
}
