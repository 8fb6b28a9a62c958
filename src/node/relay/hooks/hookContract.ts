import type { Readable } from "node:stream";
import { defineTag, type ITag, type ITagConfigured } from "../../../define/tag";
import type { TunnelVisitor } from "../visitor";

/** Which exchanges a hook takes part in; what is left out does not matter. */
export interface TunnelHookScope {
  /** Lower runs earlier. Default 0. */
  readonly order?: number | undefined;
  /** Names of bindings. */
  readonly name?: string | readonly string[] | undefined;
  /** Host names; `*.example.com` is every name below it. */
  readonly host?: string | readonly string[] | undefined;
  /**
   * Paths; `*` at the end stands for the rest. Compared in all ways in which applications read them: decoded or not, with
   * `..` resolved or not, in any case.
   */
  readonly path?: string | readonly string[] | undefined;
  readonly method?: string | readonly string[] | undefined;
}

/** Config of `globals.tags.tunnelHook` on a task that looks at requests. */
export interface TunnelRequestHookConfig extends TunnelHookScope {
  readonly on?: "request" | undefined;
}

/** Config of `globals.tags.tunnelHook` on a task that looks at responses. */
export interface TunnelResponseHookConfig extends TunnelHookScope {
  readonly on: "response";
}

/** The headers of a message. What is not changed keeps its place, case and repetitions. */
export interface TunnelHeaders extends Iterable<[name: string, value: string]> {
  /** The first value. */
  get(name: string): string | undefined;
  getAll(name: string): string[];
  has(name: string): boolean;
  /** Takes the place of all values. @throws {TypeError} it cannot be sent, or is up to the relay, as `content-length` is */
  set(name: string, value: string): void;
  /** @throws {TypeError} as `set` */
  append(name: string, value: string): void;
  /** @throws {TypeError} the header is up to the relay */
  delete(name: string): void;
  /** Names, in lower case, and values, in their order. */
  [Symbol.iterator](): IterableIterator<[name: string, value: string]>;
}

/** Changes a body on its way. What it is given ends with the body; what it returns is sent in its place. */
export type TunnelBodyTransform = (body: Readable) => AsyncIterable<Uint8Array | string>;

/** What requests and responses have in common. */
interface TunnelHookContext extends TunnelVisitor {
  /** Shared by all hooks of one exchange. */
  readonly state: Map<string, unknown>;
  /** Aborts when the visitor leaves, and when the hook takes too long. */
  readonly signal: AbortSignal;
  /**
   * The first bytes of the body, which is carried whole all the same.
   *
   * @param maxBytes at most 1 MiB
   */
  peekBody(maxBytes: number): Promise<Buffer>;
  /** Changes the body on its way; `content-length` and `etag` are dropped. A message without a body is left alone. */
  transformBody(transform: TunnelBodyTransform): void;
}

/** What a hook decides: the request goes on, or the relay answers it. */
export type TunnelHookOutcome =
  | { readonly action: "next" }
  | {
      readonly action: "respond";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
      readonly body?: string | Uint8Array | undefined;
    }
  | { readonly action: "redirect"; readonly url: string; readonly status?: 301 | 302 | 303 | 307 | 308 | undefined }
  | { readonly action: "block"; readonly status?: number | undefined }
  | { readonly action: "abort" };

/** A request on its way to the driver, and what a hook can do with it. */
export interface TunnelRequestContext extends TunnelHookContext {
  readonly phase: "request";
  /** What the application receives; may be changed. */
  readonly head: { target: string; readonly headers: TunnelHeaders };
  /** The request goes on; so it does where a hook returns nothing. */
  next(): TunnelHookOutcome;
  respond(
    status: number,
    headers?: Readonly<Record<string, string | readonly string[]>>,
    body?: string | Uint8Array,
  ): TunnelHookOutcome;
  /** @param status default 302 */
  redirect(url: string, status?: 301 | 302 | 303 | 307 | 308): TunnelHookOutcome;
  /** Refuses the request with `BLOCKED`. @param status 400 to 599, default 403 */
  block(status?: number): TunnelHookOutcome;
  /** Cuts the visitor's connection without an answer. */
  abort(): TunnelHookOutcome;
}

/** A response on its way to the visitor. */
export interface TunnelResponseContext extends TunnelHookContext {
  readonly phase: "response";
  /** What the visitor receives; may be changed. The status of a switch of protocols (101) stays. */
  readonly head: { status: number; readonly headers: TunnelHeaders };
}

/** `globals.tags.tunnelHook`: its config says whether the task looks at requests or at responses. */
export interface TunnelHookTag extends ITag<TunnelRequestHookConfig, TunnelRequestContext, TunnelHookOutcome | void> {
  readonly with: {
    (config: TunnelResponseHookConfig): ITagConfigured<TunnelResponseHookConfig, TunnelResponseContext>;
    (
      config: TunnelRequestHookConfig,
    ): ITagConfigured<TunnelRequestHookConfig, TunnelRequestContext, TunnelHookOutcome | void>;
  };
}

/** Marks a task that looks at what passes through relays, and may change, answer, redirect or block it. */
export const tunnelHook: TunnelHookTag = /* @__PURE__ */ (() =>
  defineTag({ id: "globals.tags.tunnelHook" }) as TunnelHookTag)();

/** A hook of the framework, with its config; relays list them in `hooks`. */
export interface BuiltinTunnelHook {
  readonly kind: "tunnelHook";
  readonly hook: "stripHeaders" | "redact" | "rateLimit" | "replaceBody" | "injectFaults";
  readonly config: TunnelHookScope;
}
