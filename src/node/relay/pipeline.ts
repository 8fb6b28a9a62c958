import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { assertSync } from "../../lib/assertSync";
import type { ResponseHead } from "../../relay/framePayloads";
import { CarriedBody } from "./carriedBody";
import type { GateGroups } from "./gates/compileGates";
import type { Gate, GateCall } from "./gates/judge";
import { judgeGroups } from "./gates/judgeGroups";
import { withoutParameters } from "./gates/target";
import type { HookedExchange } from "./hooks/context";
import { HeaderList } from "./hooks/headerList";
import type { BindingHooks } from "./hooks/compileHooks";
import { runRequestHooks, runResponseHooks } from "./hooks/runHooks";
import type { TunnelVisitor } from "./visitor";
import type { VisitorAnswer } from "./visitorAnswer";
import { visitorErrors, type VisitorError } from "./visitorError";
import { withinTime } from "./withinTime";

/** One request that a pipeline looks at. */
export interface PipelineCall {
  readonly req: IncomingMessage;
  readonly visitor: TunnelVisitor;
  /** The path prefix that led to the binding; `""` where its host or port did. */
  readonly prefix: string;
  /** What the application would receive, names and values in turn. */
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  /** Aborts when the visitor leaves. */
  readonly signal: AbortSignal;
  /** Lets a visitor send a body that it holds back until it is told to (RFC 9110 section 10.1.1). */
  readonly sendContinue: () => void;
}

/** Changes a response on its way to the visitor. @throws (as a rejection) a hook failed */
export type ResponseStage = (
  head: ResponseHead,
  body: Readable | undefined,
) => Promise<{
  readonly head: ResponseHead;
  readonly body: Readable | undefined;
  readonly isBodyChanged: boolean;
}>;

/** What becomes of a request; `gate` decided, or let it in. */
export type PipelineVerdict = { readonly gate: string | undefined } & (
  | {
      readonly kind: "go";
      readonly target: string;
      readonly headers: readonly string[];
      /** Takes the place of the request's own; `undefined` where that is carried as it is. */
      readonly body: Readable | undefined;
      readonly isBodyChanged: boolean;
      readonly onResponse: ResponseStage | undefined;
    }
  | { readonly kind: "deny"; readonly failure: VisitorError }
  | { readonly kind: "answer"; readonly answer: VisitorAnswer }
  | { readonly kind: "abort" }
);

/** What stands between visitors and a binding: limits, gates, and hooks, in this order. */
export interface VisitorPipeline {
  /** Rejects never. */
  admit(call: PipelineCall): Promise<PipelineVerdict>;
}

/** What a pipeline is made of. */
export interface PipelineParts {
  readonly gates: GateGroups | undefined;
  readonly hooks: BindingHooks;
  /** How long each gate and hook may take, in ms. */
  readonly timeoutMs: number;
  /** A gate or hook failed; visitors are told no more than that. */
  readonly onFailed: (error: unknown, what: string, requestId: string) => void;
}

/** Composes the pipeline of one binding. @returns `undefined` where nothing stands between */
export function createPipeline({ gates, hooks, timeoutMs, onFailed }: PipelineParts): VisitorPipeline | undefined {
  const { limits, requests, responses } = hooks;
  if (gates === undefined && limits.length + requests.length + responses.length === 0) return undefined;
  const secretParameters = [...new Set(gates?.flat().flatMap((gate) => gate.secretParameters))];

  function limit(visitor: TunnelVisitor): VisitorError | undefined {
    for (const hook of limits) {
      if (!hook.matches(visitor)) continue;
      const waitMs = hook.limiter.take(String(assertSync(hook.keyOf(visitor), "rateLimit: by")), performance.now());
      if (waitMs > 0) return { ...visitorErrors.rateLimited, retryAfterSeconds: Math.ceil(waitMs / 1000) };
    }
    return undefined;
  }

  async function judge({ req, visitor, prefix, signal }: PipelineCall, body: CarriedBody) {
    if (gates === undefined) return { kind: "pass", gate: undefined, spentHeaders: [] } as const;
    const call: GateCall = { req, visitor, prefix, signal, readForm: () => readForm(req, body) };
    const ask = (gate: Gate) => {
      const verdict = withinTime(`The gate "${gate.name}"`, timeoutMs, signal, (own) =>
        gate.judge({ ...call, signal: own }),
      );
      return verdict;
    };
    return judgeGroups(gates, call, ask, (gate, error) => onFailed(error, `gate ${gate.name}`, visitor.requestId));
  }

  const responseStage =
    (exchange: HookedExchange, signal: AbortSignal): ResponseStage =>
    async ({ status, reason, headers }, source) => {
      const { visitor } = exchange;
      const own = responses.filter((hook) => hook.matches(visitor));
      const head = { status, headers: new HeaderList(headers) };
      const body = new CarriedBody(source);
      try {
        await runResponseHooks(own, { exchange, head, body }, { timeoutMs, signal });
        const sent = body.take();
        if (body.isTransformed) head.headers.dropBodyFacts();
        return {
          head: {
            status: head.status,
            reason: head.status === status ? reason : "",
            headers: head.headers.toFlat(),
          },
          body: sent ?? source,
          isBodyChanged: body.isTransformed,
        };
      } catch (error) {
        if (!signal.aborted) onFailed(error, "hook", visitor.requestId);
        throw error;
      }
    };

  async function admit(call: PipelineCall): Promise<PipelineVerdict> {
    const { req, visitor, signal } = call;
    const body = new CarriedBody(call.hasBody ? req : undefined, call.sendContinue);
    let gate: string | undefined;
    const decide = async (): Promise<PipelineVerdict> => {
      const limited = limit(visitor);
      if (limited !== undefined) return { kind: "deny", gate, failure: limited };
      const judged = await judge(call, body);
      gate = judged.gate;
      return judged.kind === "pass" ? runHooks(call, body, judged) : judged;
    };
    const verdict = await decide().catch((error: unknown): PipelineVerdict => {
      if (!signal.aborted) onFailed(error, "hook", visitor.requestId);
      return { kind: "deny", gate, failure: visitorErrors.hookFailed };
    });
    if (verdict.kind !== "go") body.release();
    return verdict;
  }

  async function runHooks(
    { visitor, headers, signal }: PipelineCall,
    body: CarriedBody,
    { gate, spentHeaders }: { readonly gate: string | undefined; readonly spentHeaders: readonly string[] },
  ): Promise<PipelineVerdict> {
    const seen = { ...visitor, target: withoutParameters(visitor.target, secretParameters) };
    const head = { target: seen.target, headers: new HeaderList(headers) };
    for (const name of spentHeaders) head.headers.delete(name);
    const exchange: HookedExchange = { visitor: seen, state: new Map() };
    const decision = await runRequestHooks(requests, { exchange, head, body }, { timeoutMs, signal });
    if (decision !== undefined) return { ...decision, gate };
    // The visitor was told to send its body, and must not be told again.
    if (body.isBegun) head.headers.delete("expect");
    const sent = body.take();
    if (body.isTransformed) head.headers.dropBodyFacts();
    return {
      kind: "go",
      gate,
      target: head.target,
      headers: head.headers.toFlat(),
      body: sent,
      isBodyChanged: body.isTransformed,
      onResponse: responses.some((hook) => hook.matches(seen)) ? responseStage(exchange, signal) : undefined,
    };
  }

  return { admit };
}

/** Largest form that a gate reads, in bytes. */
const formBytes = 8_192;

async function readForm(req: IncomingMessage, body: CarriedBody): Promise<URLSearchParams | undefined> {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(req.headers["content-type"] ?? "");
  const bytes = isForm ? await body.peek(formBytes + 1) : Buffer.alloc(0);
  return isForm && bytes.length <= formBytes ? new URLSearchParams(bytes.toString()) : undefined;
}
