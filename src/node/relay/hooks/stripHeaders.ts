import type { RequestHook, ResponseHook } from "./hook";
import { HeaderList } from "./headerList";
import type { TunnelHeaders, TunnelHookScope } from "./hookContract";

/** Configures `globals.tunnelHooks.stripHeaders`. */
export interface StripHeadersHookConfig extends TunnelHookScope {
  /** Headers that the application does not receive. */
  readonly request?: readonly string[] | undefined;
  /** Headers that visitors do not receive. */
  readonly response?: readonly string[] | undefined;
}

type Part<Hook> = Omit<Hook, "order" | "mayServe" | "matches">;

/** @throws {TypeError} nothing is named, or what cannot be stripped */
export function compileStripHeaders(
  option: string,
  { request = [], response = [] }: StripHeadersHookConfig,
): readonly (Part<RequestHook> | Part<ResponseHook>)[] {
  if (!Array.isArray(request) || !Array.isArray(response) || request.length + response.length === 0) {
    throw new TypeError(`${option} needs names of headers: request: [...], response: [...], or both.`);
  }
  const probe = new HeaderList([]);
  for (const name of [...request, ...response] as string[]) {
    try {
      probe.delete(name);
    } catch (error) {
      throw new TypeError(`${option}: ${(error as Error).message}`, { cause: error });
    }
  }
  const strip =
    (names: readonly string[]) =>
    ({ head: { headers } }: { readonly head: { readonly headers: TunnelHeaders } }): void => {
      for (const name of names) headers.delete(name);
    };
  return [
    ...(request.length === 0 ? [] : [{ stage: "request", id: "stripHeaders", run: strip(request) } as const]),
    ...(response.length === 0 ? [] : [{ stage: "response", id: "stripHeaders", run: strip(response) } as const]),
  ];
}
