import type { TransportLayer } from "../../client/carrier";

type MakeLayer = (baseUrl: string) => TransportLayer;
const makers: MakeLayer[] = [];

/** Has clients that are made by hand publish their calls. It comes with what refers to it, so that pages do without. */
export function provideCallTracing(make: MakeLayer): void {
  makers[0] = make;
}

/** What publishes the calls of a client that belongs to no run, where there is something that does. */
export const lateTracing = (baseUrl: string): readonly TransportLayer[] => makers.map((make) => make(baseUrl));
