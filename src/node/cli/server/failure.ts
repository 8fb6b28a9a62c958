import { TunnelError } from "../../../errors/tunnelError";
import { normalizeError } from "../../../errors/normaliseThrown";
import { explainTls } from "../../explainTls";
import type { Failure } from "../command/failure";
import { ExitCode } from "../exitCodes";

/** What to do about refusals, in the words of these commands. */
const fixes: Readonly<Record<string, string>> = {
  UNAUTHORIZED: "Check --token, or RUNNER_TOKEN.",
  AUTH_NOT_CONFIGURED: "The server has no authentication: set http.auth there, or allowAnonymous.",
  FORBIDDEN: "`runner ls` lists what may be called.",
  INVALID_RESPONSE: "`runner doctor` finds out what is wrong.",
  NOT_FOUND: "`runner doctor` finds out what is wrong.",
  HTTP_ERROR: "`runner doctor` finds out what is wrong.",
  NOT_A_STREAM: "`runner doctor` finds out what is wrong.",
};

/** Says why a command that talks to a server failed. */
export function describeFailure(thrown: unknown): Failure {
  const error = normalizeError(thrown);
  if (error instanceof TunnelError) return describeTunnelError(error);
  if (error.name === "TimeoutError") return unreachable("TIMEOUT", "The server did not reply in time.");
  const { code, message } = rootOf(error);
  if (message === "bad port")
    return unreachable("BAD_PORT", "The port belongs to another protocol, and fetch refuses it.");
  if (code === undefined) return { exitCode: ExitCode.failed, code: "FAILED", message };
  return unreachable(code, `The server cannot be reached: ${message || code}. ${fixes["NOT_FOUND"]}`);
}

function describeTunnelError({ code, message, details, id, data }: TunnelError): Failure {
  const { statusCode } = { ...(details as { readonly statusCode?: number } | undefined) };
  const fix = fixes[code];
  const said = sayOf(message, statusCode);
  const sentence = /[.!?]$/.test(said) ? said : `${said}.`;
  const failure = { code, message: fix === undefined ? said : `${sentence} ${fix}`, id, data };
  if (id !== undefined) return { ...failure, exitCode: ExitCode.failed };
  if (refusals.has(code)) return { ...failure, exitCode: ExitCode.refused };
  const isProxy = code === "HTTP_ERROR" && [502, 503, 504].includes(statusCode ?? 0);
  const isLost = code === "REQUEST_TIMEOUT" && statusCode === undefined;
  if (isProxy || isLost) return { ...failure, exitCode: ExitCode.unreachable };
  return { ...failure, exitCode: absences.has(code) ? ExitCode.notFound : ExitCode.failed };
}

/** What follows the first line says which call it was, which is what the command was given. */
function sayOf(message: string, status: number | undefined): string {
  const [first = "", second] = message.split("\n");
  if (status === undefined || !first.startsWith("Tunnel HTTP ")) return first;
  if (status >= 300 && status < 400 && second !== undefined) return second.trim();
  return `Something that is no exposure replied with status ${status}.`;
}

/** Something else than an exposure replied, or one that does not serve this. */
const absences: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "NOT_FOUND",
  "INVALID_RESPONSE",
  "HTTP_ERROR",
  "NOT_A_STREAM",
  "SUBSCRIPTIONS_UNSUPPORTED",
]);

const refusals: ReadonlySet<string> = /* @__PURE__ */ new Set(["UNAUTHORIZED", "FORBIDDEN", "AUTH_NOT_CONFIGURED"]);

const unreachable = (code: string, message: string): Failure => ({ exitCode: ExitCode.unreachable, code, message });

/** fetch hides what happened to the connection in the cause, and in the first of several of them. */
export function rootOf(error: Error): { readonly code: string | undefined; readonly message: string } {
  let root = error as NodeJS.ErrnoException & { readonly errors?: readonly Error[] };
  for (let depth = 0; depth < 5; depth += 1) {
    const next = root.cause ?? root.errors?.[0];
    if (!(next instanceof Error)) break;
    root = next;
  }
  // What follows the first line says which call it was. The code of a DOMException is a number.
  const [message = ""] = explainTls(root).message.split("\n");
  return { code: typeof root.code === "string" ? root.code : undefined, message };
}
