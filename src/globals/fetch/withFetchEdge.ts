import { provideParts } from "../lateParts";
import * as fetchEdge from "./startFetchExposure";

/** Has the fetch edge at hand, and returns what refers to it. */
export function withFetchEdge<T>(value: T): T {
  provideParts({ fetchEdge: () => fetchEdge });
  return value;
}
