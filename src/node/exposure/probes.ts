import type { IncomingMessage } from "node:http";
import type { Drain } from "../../lib/drain";
import { internalError, methodNotAllowed, WireFailure } from "../../errors/wireErrors";
import type { Metrics } from "../../globals/metrics/metrics";
import type { ProbePaths } from "../../tunnels/http/config/probes";
import { pathOf } from "../../tunnels/http/router";
import { textBody } from "../../tunnels/protocol/wire";
import { worstOf, type CheckOutcome, type HealthChecks, type HealthStatus } from "../../tunnels/server/healthChecks";
import type { RunServer } from "../../tunnels/server/serveRun";
import { IncomingCall, type CallPolicy } from "./incomingCall";
import type { OutgoingReply } from "./reply/outgoingReply";

/** A question of a load balancer or a supervisor. */
type Check = "health" | "ready";

/** A question about the process, rather than a call. */
export type Probe = Check | "metrics" | "openapi";

export const isProbe = (value: unknown): value is Probe =>
  value === "health" || value === "ready" || value === "metrics" || value === "openapi";

/** What answers them. */
export interface Health {
  readonly checks: HealthChecks;
  /** Whether the run has become ready. */
  isReady(): boolean;
}

export interface Probes {
  /** Which probe a request addresses. */
  find(req: IncomingMessage): Probe | undefined;
  /** Answers it, however many calls are in flight. */
  answer(probe: Probe, reply: OutgoingReply): Promise<void>;
}

/** What probes are answered with. */
export interface ProbeParts extends Pick<RunServer, "assertAuthenticated"> {
  /** Absent where no path is configured. */
  readonly health: Health | undefined;
  /** As `health`. */
  readonly metrics: Metrics | undefined;
  /** What an OpenAPI document is sent as; rejects where the caller is refused. */
  readonly openApi: (request: IncomingCall) => Promise<string>;
  readonly drain: Drain;
  readonly callPolicy: CallPolicy;
}

export function createProbes(paths: ProbePaths, parts: ProbeParts): Probes {
  const { health, metrics, openApi, drain } = parts;
  const byPath = new Map<string, Probe>();
  if (paths.health !== undefined) byPath.set(paths.health, "health");
  if (paths.ready !== undefined) byPath.set(paths.ready, "ready");
  if (paths.metrics !== undefined) byPath.set(paths.metrics, "metrics");
  if (paths.openapi !== undefined) byPath.set(paths.openapi, "openapi");

  /** What the phase says by itself; `undefined` where the checks decide. */
  function statusOfPhase(probe: Check, isReady: boolean): HealthStatus | undefined {
    if (drain.phase === "closed") return "fail";
    if (probe === "ready") return isReady && drain.phase === "serving" ? undefined : "fail";
    // The tasks cannot be called yet.
    return isReady ? undefined : "pass";
  }

  async function judge(probe: Check, { checks, isReady }: Health): Promise<Judgement> {
    const given = statusOfPhase(probe, isReady());
    if (given !== undefined) return { status: given, outcomes: new Map() };
    const outcomes = await checks.run(probe);
    // The end may have begun meanwhile.
    const status = statusOfPhase(probe, true) ?? worstOf(outcomes.values());
    return { status: status === "pass" && drain.phase === "draining" ? "warn" : status, outcomes };
  }

  return {
    find(req: IncomingMessage & { originalUrl?: unknown }) {
      if (byPath.size === 0) return undefined;
      // Frameworks cut what a handler is mounted at off `url`.
      const { url = "/", originalUrl } = req;
      return byPath.get(pathOf(typeof originalUrl === "string" ? originalUrl : url));
    },
    async answer(probe, reply) {
      const { method } = reply.req;
      if (method !== "GET" && method !== "HEAD") return reply.refuse(methodNotAllowed(), { allow: "GET, HEAD" });
      if (probe === "metrics") return sendMetrics(reply);
      if (probe === "openapi") return sendOpenApi(reply);
      if (health === undefined) return;
      const { status, outcomes } = await judge(probe, health);
      const hasOutput = [...outcomes.values()].some(({ output }) => output !== undefined);
      // Messages of errors show the inside of an application.
      const showsOutput = hasOutput && (await refusalOf(reply, parts)) === undefined;
      await reply.send({
        status: status === "fail" ? 503 : 200,
        contentType: "application/health+json",
        headers: uncached,
        body: { kind: "text", text: JSON.stringify({ status, checks: describe(outcomes, showsOutput) }) },
      });
    },
  };

  async function sendMetrics(reply: OutgoingReply): Promise<void> {
    if (metrics === undefined) return;
    const refusal = await refusalOf(reply, parts);
    if (refusal !== undefined) return reply.refuse(refusal);
    const text = await metrics.text();
    const { contentType } = metrics;
    await reply.send({ status: 200, contentType, headers: uncached, body: { kind: "text", text } });
  }

  /** Programs of this machine get what they get of a discovery, and no more. */
  async function sendOpenApi(reply: OutgoingReply): Promise<void> {
    let text: string;
    try {
      text = await openApi(askedBy(reply, parts));
    } catch (error) {
      if (error instanceof WireFailure) return reply.refuse(error);
      throw error;
    }
    await reply.send({ status: 200, headers: uncached, body: { kind: "text", text } });
  }
}

const uncached = { "cache-control": "no-store" };

interface Judgement {
  readonly status: HealthStatus;
  readonly outcomes: ReadonlyMap<string, CheckOutcome>;
}

/** Why a caller may not see what is inside: it must be local, or known. */
async function refusalOf(reply: OutgoingReply, parts: ProbeParts): Promise<WireFailure | undefined> {
  if (await parts.callPolicy.isLocal(reply.req)) return undefined;
  try {
    await parts.assertAuthenticated(askedBy(reply, parts));
    return undefined;
  } catch (error) {
    return error instanceof WireFailure ? error : internalError(error);
  }
}

/** A probe, as validators see it. */
const askedBy = (reply: OutgoingReply, { callPolicy }: ProbeParts): IncomingCall =>
  new IncomingCall({ kind: "discovery", id: "" }, textBody(""), reply, callPolicy);

const describe = (outcomes: Judgement["outcomes"], showsOutput: boolean): object =>
  Object.fromEntries(
    [...outcomes].map(([id, { status, ms, output }]) => [id, { status, ms, output: showsOutput ? output : undefined }]),
  );
