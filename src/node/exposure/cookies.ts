import { importCommonJs } from "../commonJs";

/** Gives the cookies of a header by name. */
export type ParseCookies = (header: string) => Readonly<Record<string, string | undefined>>;

/** Loads the library with the first exposure, so that those who import the entry for something else do not wait for it. */
export async function loadCookieParser(): Promise<ParseCookies> {
  const { parse } = await importCommonJs(async () => {
    const cookie: { readonly parse: ParseCookies; readonly default?: { readonly parse: ParseCookies } } =
      await import("cookie");
    // Without the interop of Node there is no default.
    return { default: cookie.default ?? cookie };
  });
  return parse;
}
