import { bodyCases } from "./cases/bodyCases";
import { callCases } from "./cases/callCases";
import { clientCases } from "./cases/clientCases";
import { contextCases } from "./cases/contextCases";
import { departureCases } from "./cases/departureCases";
import { edgeUnderTest, type EdgeUnderTest, type HostLimits, type ServedEdge } from "./cases/edgeUnderTest";
import { formCases } from "./cases/formCases";
import { streamCases } from "./cases/streamCases";

const allCases = [callCases, contextCases, bodyCases, streamCases, departureCases, formCases, clientCases];

/** The same promises of every server that hands its requests to a fetch edge. @param cases those that are tried. Default: all */
export function describeEdge(
  host: string,
  open: () => Promise<ServedEdge>,
  limits: HostLimits = {},
  cases: readonly ((edge: EdgeUnderTest) => void)[] = allCases,
): void {
  describe(`a fetch edge served by ${host}`, () => {
    let served: ServedEdge;
    beforeAll(async () => void (served = await open()), 120_000);
    afterAll(() => served?.[Symbol.asyncDispose]());

    const edge = edgeUnderTest(host, limits, () => served);
    for (const describeCases of cases) describeCases(edge);
  });
}
