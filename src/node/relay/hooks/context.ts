import type { CarriedBody } from "../carriedBody";
import type { TunnelVisitor } from "../visitor";
import type { HeaderList } from "./headerList";
import type { TunnelHookOutcome, TunnelRequestContext, TunnelResponseContext } from "./hookContract";

/** What all hooks of one exchange share. */
export interface HookedExchange {
  readonly visitor: TunnelVisitor;
  readonly state: Map<string, unknown>;
}

/** The context of one request hook. */
export const requestContext = (
  { visitor, state }: HookedExchange,
  head: { target: string; readonly headers: HeaderList },
  body: CarriedBody,
  signal: AbortSignal,
): TunnelRequestContext => ({
  ...visitor,
  phase: "request",
  head,
  state,
  signal,
  peekBody: (maxBytes) => body.peek(maxBytes),
  transformBody: (transform) => body.transform(transform),
  ...outcomes,
});

/** The context of one response hook. */
export const responseContext = (
  { visitor, state }: HookedExchange,
  head: { status: number; readonly headers: HeaderList },
  body: CarriedBody,
  signal: AbortSignal,
): TunnelResponseContext => ({
  ...visitor,
  phase: "response",
  head,
  state,
  signal,
  peekBody: (maxBytes) => body.peek(maxBytes),
  transformBody: (transform) => body.transform(transform),
});

const outcomes: Pick<TunnelRequestContext, "next" | "respond" | "redirect" | "block" | "abort"> = {
  next: () => ({ action: "next" }),
  respond: (status, headers, body): TunnelHookOutcome => ({ action: "respond", status, headers, body }),
  redirect: (url, status): TunnelHookOutcome => ({ action: "redirect", url, status }),
  block: (status): TunnelHookOutcome => ({ action: "block", status }),
  abort: () => ({ action: "abort" }),
};
