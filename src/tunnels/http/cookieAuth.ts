import { crossSite } from "../../errors/wireErrors";
import type { ServerAuth } from "../server/serveRun";
import type { Cors } from "./cors";
import { isCrossSite } from "./crossSite";

/** Browsers send cookies along with what any page makes them send, so that these come with a guard. */
export function cookieAuth(
  name: string | undefined,
  admitsOrigin: Cors["admits"],
): Pick<ServerAuth, "readToken" | "refusalOf"> {
  if (name === undefined) return {};
  return {
    readToken: ({ headers }) => readCookie(headers.cookie as string | undefined, name),
    refusalOf({ headers }) {
      if (headers.cookie === undefined) return undefined;
      const verdict = isCrossSite(headers, admitsOrigin);
      if (typeof verdict === "boolean") return verdict ? crossSite() : undefined;
      return verdict.then((isForeign) => (isForeign ? crossSite() : undefined));
    },
  };
}

/** The value of a cookie that arrived once: others may have set one of the same name for another path or domain. */
function readCookie(header: string | undefined, name: string): string | undefined {
  const named = header?.split(";").filter((pair) => pair.includes("=") && pair.split("=", 1)[0]?.trim() === name);
  const value = named?.length === 1 ? named[0]?.slice(named[0].indexOf("=") + 1).trim() : undefined;
  if (value?.includes("%") !== true) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
