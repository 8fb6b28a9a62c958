import { readCallFacts } from "../../lib/readCallFacts";
import { TracePoint } from "../../platform/tracePoint";
import type { CallTrace } from "../../runtime/tracing";
import { traceCalls } from "../../tunnels/transports/layers/traceCalls";
import { provideCallTracing } from "../../tunnels/transports/layers/lateTracing";
import { provideTracing } from "../lateBuiltins";
import { createRunTracing } from "./runTracing";

/** Has every run of the bundle publish what it does, and clients that are made by hand their calls. */
export function publishCalls(): void {
  provideTracing(createRunTracing);
  publishClientCalls();
  readCallFacts();
}

/** Clients that belong to no run publish on the channel of the process alone. */
export function publishClientCalls(): void {
  const point = new TracePoint<CallTrace>("runner:call");
  provideCallTracing((baseUrl) => traceCalls(point, baseUrl));
}
