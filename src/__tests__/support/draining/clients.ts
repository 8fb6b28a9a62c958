import { createHttpMixedClient, createHttpSmartClient, TunnelError, type MixedHttpClient } from "../../../node/index";

/** What both clients have in common. */
export type Client = Pick<MixedHttpClient, "task" | "close">;

export const clients: [string, (baseUrl: string) => Client][] = [
  ["Mixed", (baseUrl) => createHttpMixedClient({ baseUrl })],
  ["Smart", (baseUrl) => createHttpSmartClient({ baseUrl })],
];

/** What a caller is told by a server that is gone, or going: it did not take the call. */
export function isTurnedAway(error: unknown): boolean {
  if (error instanceof TunnelError) return error.code === "SERVER_CLOSING";
  return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
}
