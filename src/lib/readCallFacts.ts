import { callFacts, type CallFacts, type FactSource } from "./callFacts";

/** Has logs say of each call what is known of it: which request and trace it belongs to, and who called. */
export function readCallFacts(): void {
  callFacts.of = factsOf;
  callFacts.bind = (value) =>
    isLogger(value) ? (scope) => value.with({ additionalContext: factsOf(scope) }) : undefined;
}

function factsOf({ requestId, trace, caller }: FactSource = {}): CallFacts | undefined {
  if ((requestId ?? trace ?? caller) === undefined) return undefined;
  return {
    ...(requestId !== undefined && { requestId }),
    ...(trace && { traceId: trace.traceId, spanId: trace.spanId }),
    ...(caller && { caller: caller.name }),
  };
}

interface LoggerLike {
  with(options: { readonly additionalContext: CallFacts | undefined }): unknown;
}

/** By its shape, since an application may have put one of its own in its place. */
function isLogger(value: unknown): value is LoggerLike {
  const { with: derive, onLog, error } = Object(value) as { with?: unknown; onLog?: unknown; error?: unknown };
  return [derive, onLog, error].every((member) => typeof member === "function");
}
