import { TunnelBindError, TunnelError, TunnelRefusedError } from "../../index";
import type { Failure } from "../command/failure";
import { ExitCode } from "../exitCodes";

/** Bindings that a rule of the relay forbids; others may succeed elsewhere or later. */
const byPolicy: ReadonlySet<string> = new Set(["POLICY", "PRIVILEGED_PORT", "RESERVED_PORT"]);

export function describeFailure(error: unknown): Failure {
  if (error instanceof TunnelRefusedError) return refusal("UNAUTHORIZED", error.message);
  if (error instanceof TunnelBindError) {
    const { code, message, retryable } = error;
    // A binding of another caller stays with it.
    const isRefused = byPolicy.has(code) || (code === "ALREADY_BOUND" && !retryable);
    const fix =
      code === "ALREADY_BOUND" && retryable ? " Add --takeover to take it over, or choose another --name." : "";
    return { exitCode: isRefused ? ExitCode.refused : ExitCode.failed, code, message: `${message}${fix}` };
  }
  if (error instanceof TunnelError) return describeAnswer(error);
  const { code = "FAILED", message: annotated } = error as NodeJS.ErrnoException;
  // The boot says which resource failed; here there is one.
  const message = annotated.replace(/^Resource "[^"]*" initialization failed: /, "");
  return { exitCode: ExitCode.failed, code, message: `${message}${listenFixes[code] ?? ""}` };
}

const otherHost = ". Choose a --host that this machine has, as 127.0.0.1, or 0.0.0.0 for all of its addresses";

/** What to do where a relay cannot listen. Drivers try again by themselves. */
const listenFixes: Readonly<Record<string, string>> = {
  EADDRINUSE: ". Choose another --port, or 0 for any",
  EACCES: ". Choose a --port above 1023",
  EADDRNOTAVAIL: otherHost,
  EAFNOSUPPORT: otherHost,
  EAI_AGAIN: otherHost,
  ENOTFOUND: otherHost,
};

function describeAnswer({ code, message, details }: TunnelError): Failure {
  const { statusCode } = { ...(details as { readonly statusCode?: number } | undefined) };
  if (statusCode === 401) return refusal(code, `${message} Check --token, or RUNNER_TUNNEL_TOKEN.`);
  if (statusCode === 403 || code === "AUTH_NOT_CONFIGURED") return refusal(code, message);
  // "INVALID_RESPONSE" is what something else than a relay answers.
  if (statusCode === 404 || code === "INVALID_RESPONSE") return { exitCode: ExitCode.notFound, code, message };
  // Without a status there was no answer; these are a proxy's, which does not reach the relay.
  const isUnreachable = statusCode === undefined || (code === "HTTP_ERROR" && [502, 503, 504].includes(statusCode));
  return { exitCode: isUnreachable ? ExitCode.unreachable : ExitCode.failed, code, message };
}

const refusal = (code: string, message: string): Failure => ({ exitCode: ExitCode.refused, code, message });
