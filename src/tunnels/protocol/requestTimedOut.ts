import { TunnelError } from "../../errors/tunnelError";

/** What a call that takes longer than `timeoutMs` is rejected with. */
export const requestTimedOut = (url: string, timeoutMs: number): TunnelError =>
  new TunnelError(
    "REQUEST_TIMEOUT",
    `Tunnel request timeout after ${timeoutMs}ms`,
    { url, timeoutMs, delivered: "unknown" },
    { httpCode: 408 },
  );
