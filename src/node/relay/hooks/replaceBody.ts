import type { RequestHook, ResponseHook } from "./hook";
import type { TunnelHeaders, TunnelHookScope } from "./hookContract";

/** Configures `globals.tunnelHooks.replaceBody`. */
export interface ReplaceBodyHookConfig extends TunnelHookScope {
  /** Which body. Default "response". */
  readonly of?: "request" | "response" | undefined;
  readonly body: string | Uint8Array;
  /** Type of the new body. Default: that of the old one. */
  readonly contentType?: string | undefined;
  /** Responses with one of these only. Default: all of 200 to 299. */
  readonly status?: readonly number[] | undefined;
}

type Part<Hook> = Omit<Hook, "order" | "mayServe" | "matches">;

/** @throws {TypeError} the config cannot be meant */
export function compileReplaceBody(
  option: string,
  { of = "response", body, contentType, status }: ReplaceBodyHookConfig,
): readonly (Part<RequestHook> | Part<ResponseHook>)[] {
  if (typeof body !== "string" && !(body instanceof Uint8Array)) {
    throw new TypeError(`${option}: body must be a text or bytes.`);
  }
  if (of !== "request" && of !== "response") throw new TypeError(`${option}: of must be "request" or "response".`);
  if (status !== undefined && !Array.isArray(status))
    throw new TypeError(`${option}: status must be a list of numbers.`);
  const bytes = Buffer.from(body as Uint8Array);
  const replace = (context: {
    readonly head: { readonly headers: TunnelHeaders };
    transformBody(transform: () => AsyncIterable<Uint8Array>): void;
  }): void => {
    const { headers } = context.head;
    headers.delete("content-encoding");
    if (contentType !== undefined) headers.set("Content-Type", contentType);
    context.transformBody(() => once(bytes));
  };
  if (of === "request") return [{ stage: "request", id: "replaceBody", run: replace }];
  const applies = (code: number): boolean => status?.includes(code) ?? (code >= 200 && code <= 299);
  return [
    {
      stage: "response",
      id: "replaceBody",
      run: (context) => (applies(context.head.status) ? replace(context) : undefined),
    },
  ];
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
