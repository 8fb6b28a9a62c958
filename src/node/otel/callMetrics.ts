import type { Attributes, Meter } from "@opentelemetry/api";
import type { CallTrace, RequestTrace } from "../../runtime/tracing";

/** Counts one call that has settled. */
export type RecordCall = (message: CallTrace | RequestTrace, attributes: Attributes) => void;

/**
 * The histograms of one side: its duration in ms, the sizes of requests and responses in bytes.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/
 */
export function createCallMetrics(meter: Meter, side: "server" | "client"): RecordCall {
  const duration = meter.createHistogram(`rpc.${side}.duration`, { unit: "ms" });
  const request = meter.createHistogram(`rpc.${side}.request.size`, { unit: "By" });
  const response = meter.createHistogram(`rpc.${side}.response.size`, { unit: "By" });
  return ({ ms, bytesIn, bytesOut }, attributes) => {
    if (ms !== undefined) duration.record(ms, attributes);
    const [requestBytes, responseBytes] = side === "server" ? [bytesIn, bytesOut] : [bytesOut, bytesIn];
    if (requestBytes !== undefined) request.record(requestBytes, attributes);
    if (responseBytes !== undefined) response.record(responseBytes, attributes);
  };
}
