import { fieldsOf, invalid } from "../../lib/configFields";
import type { PromClient, PromRegistry } from "./promInstruments";

/** Configures `metrics`. */
export interface MetricsConfig {
  /**
   * Upper bounds of the buckets of `runner_request_seconds`, in seconds, ascending; at most 50. Default: 13 of them, from
   * 0.001 to 10.
   */
  readonly buckets?: readonly number[] | undefined;
  /** The package `prom-client`: what is counted is then registered there, beside metrics of your own. */
  readonly promClient?: PromClient | undefined;
  /** The registry to take. Default: the one that `promClient` has. */
  readonly register?: PromRegistry | undefined;
}

/** The config without gaps. */
export interface ResolvedMetricsConfig extends MetricsConfig {
  readonly buckets: readonly number[];
}

const defaultBuckets: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const mostBuckets = 50;

/** Fills the gaps. @throws {TypeError} a value makes no sense, or its key does not exist; the message names the field */
export function resolveMetricsConfig(config: unknown): ResolvedMetricsConfig {
  const stated = fieldsOf<MetricsConfig>(config, "metrics", ["buckets", "promClient", "register"]);
  const promClient = resolvePromClient(stated.promClient);
  const register = resolveRegister(stated.register);
  if (register !== undefined && promClient === undefined) {
    throw new TypeError("metrics.register needs metrics.promClient beside it, whose metrics it takes.");
  }
  return { buckets: resolveBuckets(stated.buckets), promClient, register };
}

function resolveBuckets(buckets: unknown): readonly number[] {
  if (buckets === undefined) return defaultBuckets;
  const isAscending = (list: readonly unknown[]): boolean =>
    list.every((bound, index) => Number.isFinite(bound) && (bound as number) > ((list[index - 1] as number) ?? 0));
  if (Array.isArray(buckets) && buckets.length > 0 && buckets.length <= mostBuckets && isAscending(buckets)) {
    return buckets as readonly number[];
  }
  throw invalid("metrics.buckets", `a list of 1 to ${mostBuckets} ascending numbers above 0`, buckets);
}

function resolvePromClient(given: unknown): PromClient | undefined {
  if (given === undefined) return undefined;
  const { Counter, Histogram, Gauge, register } = Object(given) as { readonly [K in keyof PromClient]?: unknown };
  if ([Counter, Histogram, Gauge].every((each) => typeof each === "function") && typeof register === "object") {
    return given as PromClient;
  }
  throw invalid("metrics.promClient", 'what import * as promClient from "prom-client" gives', given);
}

function resolveRegister(given: unknown): PromRegistry | undefined {
  if (given === undefined) return undefined;
  const { metrics, removeSingleMetric } = Object(given) as { readonly [K in keyof PromRegistry]?: unknown };
  if (typeof metrics === "function" && typeof removeSingleMetric === "function") return given as PromRegistry;
  throw invalid("metrics.register", "a Registry of prom-client", given);
}
