import type { MaybePromise } from "../../../lib/typeLevel";
import type { RateLimiter } from "../rateLimiter";
import type { TunnelVisitor } from "../visitor";
import type { TunnelRequestContext, TunnelResponseContext } from "./hookContract";

/** Which exchanges a hook takes part in, ready to decide. */
export interface HookScope {
  readonly order: number;
  mayServe(name: string | undefined): boolean;
  matches(visitor: TunnelVisitor): boolean;
}

/** Keeps count before anything else looks at a request. */
export interface LimitHook extends HookScope {
  readonly stage: "limit";
  readonly id: string;
  readonly limiter: RateLimiter;
  keyOf(visitor: TunnelVisitor): string;
}

/** Looks at requests that gates let in. Its outcome is narrowed by what runs it. */
export interface RequestHook extends HookScope {
  readonly stage: "request";
  readonly id: string;
  run(context: TunnelRequestContext): MaybePromise<unknown>;
}

/** Looks at responses. */
export interface ResponseHook extends HookScope {
  readonly stage: "response";
  readonly id: string;
  run(context: TunnelResponseContext): MaybePromise<unknown>;
}

export type Hook = LimitHook | RequestHook | ResponseHook;
