import { describeValue } from "../../lib/describeValue";
import { isPlainObject } from "../../lib/guards";
import { longestTimerMs } from "../../lib/timers";
import type { MaybePromise } from "../../lib/typeLevel";
import type { ChooseEndpoint } from "./balance";
import type { EjectRules } from "./endpointStates";

/** Several servers of the same tasks, in place of one `baseUrl`. All optional, but one of `endpoints` and `resolve`. */
export interface EndpointsConfig {
  /** Where the exposures are mounted, as "https://a.example.com/__runner": 1 to 1,000. */
  readonly endpoints?: readonly string[] | undefined;
  /**
   * Which of them gets a call: the one with the fewest calls in flight, one after the other, or what a function returns.
   * Default "least-inflight".
   */
  readonly balance?: "least-inflight" | "round-robin" | ChooseEndpoint | undefined;
  /**
   * After how many `failures` in a row an endpoint gets no calls `forMs`; then one call finds out whether it is back. Default
   * 5 failures, 10,000 ms.
   */
  readonly eject?: Partial<EjectRules> | undefined;
  /**
   * Asks each endpoint by GET, at this path of its origin, whether it takes calls: any status but 2xx ejects it at once, and
   * 2xx takes it back. Default: calls alone find out. `everyMs`: default 5,000.
   */
  readonly probe?: EndpointProbe | undefined;
  /**
   * Gives the addresses anew, as from DNS or a registry: when the first call is made, every `resolveMs`, and when no endpoint
   * can be counted on. An answer that makes no sense changes nothing.
   */
  readonly resolve?: ((options: { readonly signal: AbortSignal }) => MaybePromise<readonly string[]>) | undefined;
  /** Default 30,000. */
  readonly resolveMs?: number | undefined;
  /** Receives what is wrong without failing a call, such as an answer of `resolve`. Default: a warning of the process. */
  readonly onWarning?: ((message: string, error?: unknown) => void) | undefined;
}

/** A configuration with several endpoints in place of one `baseUrl`. */
export type OverEndpoints<Config> = Omit<Config, "baseUrl"> &
  EndpointsConfig & { readonly baseUrl?: undefined } & (
    Required<Pick<EndpointsConfig, "endpoints">> | Required<Pick<EndpointsConfig, "resolve">>
  );

/** How endpoints are asked whether they take calls. */
export interface EndpointProbe {
  /** As configured in `http.ready` of the servers, "/ready" for example. */
  readonly path: string;
  /** Default 5,000. */
  readonly everyMs?: number | undefined;
}

/** A configuration with nothing left to default. */
export interface ResolvedEndpoints extends Pick<EndpointsConfig, "resolve" | "onWarning"> {
  /** Empty: `resolve` says. */
  readonly urls: readonly string[];
  readonly balance: "least-inflight" | "round-robin" | ChooseEndpoint;
  readonly eject: EjectRules;
  readonly probe: ResolvedProbe | undefined;
  readonly resolveMs: number;
}

/** A probe with nothing left to default. */
export interface ResolvedProbe {
  readonly path: string;
  readonly everyMs: number;
}

/** Most endpoints of one pool. */
const maxEndpoints = 1_000;

/** @throws {TypeError} a field makes no sense; names it and the fix @param readUrl what is wrong with an address, or the address */
export function readEndpoints(config: EndpointsConfig, owner: string, readUrl: ReadUrl): ResolvedEndpoints {
  const { endpoints, balance = "least-inflight", eject = {}, probe, resolve, resolveMs = 30_000, onWarning } = config;
  const wrong = (field: string, value: unknown, wanted: string): TypeError =>
    new TypeError(`${owner}: ${field} is ${describeValue(value)}.\n  fix: ${wanted}`);
  if ("baseUrl" in config && config.baseUrl !== undefined) {
    throw new TypeError(
      `${owner} has baseUrl beside endpoints or resolve.\n  fix: leave baseUrl out, and name it in endpoints`,
    );
  }
  for (const [field, value] of Object.entries({ resolve, onWarning })) {
    if (value !== undefined && typeof value !== "function") throw wrong(field, value, `make ${field} a function`);
  }
  if (balance !== "least-inflight" && balance !== "round-robin" && typeof balance !== "function") {
    throw wrong("balance", balance, 'say "least-inflight", "round-robin", or a function (endpoints, call) => endpoint');
  }
  const readNumber = (field: string, value: unknown, least: number): number => {
    if (typeof value === "number" && value >= least && value <= longestTimerMs && Number.isInteger(value)) return value;
    throw wrong(field, value, `make ${field} a whole number from ${least} to ${longestTimerMs}`);
  };
  const readFields = (field: string, value: unknown, known: readonly string[]): void => {
    if (!isPlainObject(value)) throw wrong(field, value, `make ${field} an object of ${known.join(" and ")}`);
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined)
      throw wrong(`${field}.${unknown}`, value[unknown], `${field} has ${known.join(" and ")}`);
  };
  readFields("eject", eject, ["failures", "forMs"]);
  const { failures = 5, forMs = 10_000 } = eject;
  if (probe !== undefined) {
    readFields("probe", probe, ["path", "everyMs"]);
    if (typeof probe.path !== "string" || !/^\/[^\s#]*$/.test(probe.path)) {
      throw wrong("probe.path", probe.path, 'name the path that http.ready of the servers has, as "/ready"');
    }
  }
  if (endpoints === undefined && resolve === undefined) {
    throw wrong("endpoints", endpoints, 'list the addresses: ["https://a.example.com/__runner", ...]');
  }
  const urls = endpoints === undefined ? [] : readUrls(endpoints, readUrl);
  if (typeof urls === "string") throw new TypeError(`${owner}: endpoints ${urls}`);
  return {
    urls,
    balance,
    eject: { failures: readNumber("eject.failures", failures, 1), forMs: readNumber("eject.forMs", forMs, 0) },
    probe: probe && { path: probe.path, everyMs: readNumber("probe.everyMs", probe.everyMs ?? 5_000, 10) },
    resolve,
    resolveMs: readNumber("resolveMs", resolveMs, 10),
    onWarning,
  };
}

/** Reads an address: its text, or why it cannot be called. */
export type ReadUrl = (url: string) => { readonly text: string; readonly problem?: string | undefined };

/** The addresses of a list, each once; or what is wrong with the list. */
export function readUrls(list: unknown, readUrl: ReadUrl): readonly string[] | string {
  if (!Array.isArray(list)) return `are ${describeValue(list)}.\n  fix: list addresses as text`;
  if (list.length === 0) return "are an empty list.\n  fix: list at least one address";
  if (list.length > maxEndpoints) return `are ${list.length} addresses.\n  fix: list at most ${maxEndpoints}`;
  const urls = new Set<string>();
  for (const [index, url] of list.entries()) {
    if (typeof url !== "string") return `[${index}] is ${describeValue(url)}.\n  fix: list addresses as text`;
    const { text, problem } = readUrl(url);
    if (problem !== undefined) return `[${index}]: ${problem.replace(/^baseUrl/, "address")}`;
    urls.add(text);
  }
  return [...urls];
}
