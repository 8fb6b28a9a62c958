import type { IncomingMessage } from "node:http";
import type { Drain } from "../../lib/drain";
import { methodNotAllowed } from "../../errors/wireErrors";
import { pathOf } from "../../tunnels/http/router";
import { textBody, type WireRequest } from "../../tunnels/protocol/wire";
import { worstOf, type CheckOutcome, type HealthChecks, type HealthStatus } from "../../tunnels/server/healthChecks";
import type { ProbePaths } from "./config/probes";
import { IncomingCall, type CallPolicy } from "./incomingCall";
import type { OutgoingReply } from "./reply/outgoingReply";

/** A question of a load balancer or a supervisor. */
export type Probe = "health" | "ready";

/** What answers them. */
export interface Health {
  readonly checks: HealthChecks;
  /** Whether the run has become ready. */
  isReady(): boolean;
  /** Whether a token or a validator knows who sent a request. */
  isAuthenticated(request: WireRequest): Promise<boolean>;
}

export interface Probes {
  /** Which probe a request addresses. */
  find(req: IncomingMessage): Probe | undefined;
  /** Answers it, however many calls are in flight. */
  answer(probe: Probe, reply: OutgoingReply): Promise<void>;
}

/** @param health absent where no path is configured */
export function createProbes(
  paths: ProbePaths,
  { health, drain, callPolicy }: { health: Health | undefined; drain: Drain; callPolicy: CallPolicy },
): Probes {
  const byPath = new Map<string, Probe>();
  if (paths.health !== undefined) byPath.set(paths.health, "health");
  if (paths.ready !== undefined) byPath.set(paths.ready, "ready");

  /** What the phase says by itself; `undefined` where the checks decide. */
  function statusOfPhase(probe: Probe, isReady: boolean): HealthStatus | undefined {
    if (drain.phase === "closed") return "fail";
    if (probe === "ready") return isReady && drain.phase === "serving" ? undefined : "fail";
    // The tasks cannot be called yet.
    return isReady ? undefined : "pass";
  }

  async function judge(probe: Probe, { checks, isReady }: Health): Promise<Judgement> {
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
      if (health === undefined) return;
      const { status, outcomes } = await judge(probe, health);
      const hasOutput = [...outcomes.values()].some(({ output }) => output !== undefined);
      const showsOutput = hasOutput && (await mayRead(reply, health, callPolicy));
      await reply.send({
        status: status === "fail" ? 503 : 200,
        contentType: "application/health+json",
        headers: { "cache-control": "no-store" },
        body: { kind: "text", text: JSON.stringify({ status, checks: describe(outcomes, showsOutput) }) },
      });
    },
  };
}

interface Judgement {
  readonly status: HealthStatus;
  readonly outcomes: ReadonlyMap<string, CheckOutcome>;
}

/** Messages of errors show the inside of an application: a caller must be local, or known. */
async function mayRead(reply: OutgoingReply, health: Health, callPolicy: CallPolicy): Promise<boolean> {
  if (await callPolicy.isLocal(reply.req)) return true;
  return health.isAuthenticated(new IncomingCall({ kind: "discovery", id: "" }, textBody(""), reply, callPolicy));
}

const describe = (outcomes: Judgement["outcomes"], showsOutput: boolean): object =>
  Object.fromEntries(
    [...outcomes].map(([id, { status, ms, output }]) => [id, { status, ms, output: showsOutput ? output : undefined }]),
  );
