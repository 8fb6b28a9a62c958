import type { TraceContext } from "./traceContext";

/** What logs say of a call that came from outside, or is part of a trace. A `type`, so that it passes for free-form fields. */
export type CallFacts = {
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
  /** Name of who called. */
  readonly caller?: string | undefined;
};

/** What facts are read from. */
export interface FactSource {
  readonly requestId?: string | undefined;
  readonly trace?: TraceContext | undefined;
  readonly caller?: { readonly name: string } | undefined;
}

/** What logs say of calls. Filled by what serves calls, and what traces them: without that there is nothing to say. */
export interface CallFactsReader {
  /** As far as a call has them. */
  of?(scope: FactSource | undefined): CallFacts | undefined;
  /** For a logger: makes the one of a call. */
  bind?(value: unknown): ((scope: FactSource) => unknown) | undefined;
}

export const callFacts: CallFactsReader = {};
