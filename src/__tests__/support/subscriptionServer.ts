import { globals, r, type definitions as types, type NodeExposureHttpConfig, type RegisterableItems } from "../../node";
import { startExposure, type TestExposure } from "./exposure";

/** An exposure with events that callers may listen to, and others that they may emit alone, or tasks that they may call. */
export function startSubscriptions(
  {
    subscribable,
    callable = [],
  }: { readonly subscribable: readonly types.IEvent[]; readonly callable?: Parameters<typeof startExposure>[0] },
  http: NodeExposureHttpConfig = {},
  extra: readonly RegisterableItems[] = [],
): Promise<TestExposure> {
  const tunnel = r
    .resource("test.subscriptions")
    .tags([globals.tags.tunnel])
    .init(async () => ({ transport: "http" as const, mode: "server" as const, subscribable: [...subscribable] }))
    .build();
  return startExposure(callable, http, [...subscribable, tunnel, ...extra]);
}

export const addressOf = ({ port }: { readonly port: number }): string => `http://127.0.0.1:${port}/__runner`;
