import type { TraceContext } from "../../lib/traceContext";
import { traceParentHeader, traceStateHeader } from "./headers";
import type { WireHeaders } from "./wire";

/** Longest `tracestate` that is passed on, in characters (Trace Context §3.3.1.5). */
const maxStateLength = 512;

/** The trace that a caller sent. A malformed one counts as none (Trace Context §3.2.2). */
export function readTrace(headers: WireHeaders): TraceContext | undefined {
  const parent = headers[traceParentHeader];
  if (typeof parent !== "string" || parent.length > 512) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = traceParent.exec(parent.trim()) ?? [];
  // Later versions may add fields; this one has none, and ff is no version.
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const state = headers[traceStateHeader]?.toString();
  return { traceId, spanId, flags, ...(state && state.length <= maxStateLength && { state }) };
}

const traceParent = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** The headers that say where a call stands. */
export const traceHeaders = ({ traceId, spanId, flags, state }: TraceContext): WireHeaders => ({
  [traceParentHeader]: `00-${traceId}-${spanId}-${flags}`,
  ...(state !== undefined && { [traceStateHeader]: state }),
});
