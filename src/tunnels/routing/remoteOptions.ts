import { childOf } from "../../lib/traceContext";
import type { CallScope } from "../../runtime/callScope";
import type { RemoteCallOptions } from "./tags";

/** What a call tells the process that serves it: each hop has a place of its own in the trace. */
export const remoteOptionsOf = ({ signal, deadline, trace }: CallScope): RemoteCallOptions => ({
  signal,
  ...(deadline !== undefined && { deadline }),
  ...(trace !== undefined && { trace: childOf(trace) }),
});
