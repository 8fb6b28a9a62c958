import { bodyCases } from "./cases/bodyCases";
import { callCases } from "./cases/callCases";
import { clientCases } from "./cases/clientCases";
import { contextCases } from "./cases/contextCases";
import { departureCases } from "./cases/departureCases";
import { edgeUnderTest, type HostLimits, type ServedEdge } from "./cases/edgeUnderTest";
import { formCases } from "./cases/formCases";
import { streamCases } from "./cases/streamCases";

/** The same promises of every server that hands its requests to a fetch edge. */
export function describeEdge(host: string, open: () => Promise<ServedEdge>, limits: HostLimits = {}): void {
  describe(`a fetch edge served by ${host}`, () => {
    let served: ServedEdge;
    beforeAll(async () => void (served = await open()), 60_000);
    afterAll(() => served?.[Symbol.asyncDispose]());

    const edge = edgeUnderTest(host, limits, () => served);
    callCases(edge);
    contextCases(edge);
    bodyCases(edge);
    streamCases(edge);
    departureCases(edge);
    formCases(edge);
    clientCases(edge);
  });
}
