import { TunnelError } from "../../../errors/tunnelError";
import type { TransportLayer } from "../../../tunnels/client/carrier";
import type { WireResponse } from "../../../tunnels/protocol/wire";
import { judgeRepeat } from "../../../tunnels/protocol/safeRepeat";

/** How often a call is made in all. */
const maxAttempts = 3;

/**
 * Makes a call once more where that is safe, for another worker of the group to take it: after a refusal before anything was
 * looked at, and after a worker was lost where the call may be made twice.
 */
export const repeatElsewhere: TransportLayer = (next) => (request) => {
  const send = (attempt: number): Promise<WireResponse> =>
    next(request).then(
      (response) =>
        attempt < maxAttempts && isRefusal(response) && request.signal?.aborted !== true ? send(attempt + 1) : response,
      (error: unknown) => {
        // Without a worker, or a broker, there is no other one to ask.
        const isAlone = error instanceof TunnelError && alone.has(error.code);
        const isLeft = attempt >= maxAttempts || isAlone || request.signal?.aborted === true;
        if (isLeft || !judgeRepeat(error, request.isRepeatable === true).isSafe) throw error;
        return send(attempt + 1);
      },
    );
  return send(1);
};

const alone: ReadonlySet<string> = /* @__PURE__ */ new Set(["NO_RESPONDER", "BROKER_OFFLINE"]);

/** A worker that takes nothing more says so before it looks at a call; a declared error, which comes later, has an id. */
function isRefusal({ status, body }: WireResponse): boolean {
  if (status !== 503 || body.kind !== "text" || body.text.length > longestRefusal) return false;
  try {
    const { error } = JSON.parse(body.text) as { error?: { code?: unknown; id?: unknown } };
    return error?.id === undefined && typeof error?.code === "string" && refusals.has(error.code);
  } catch {
    return false;
  }
}

const longestRefusal = 4096;
const refusals: ReadonlySet<string> = /* @__PURE__ */ new Set(["OVERLOADED", "SERVER_CLOSING", "AUTH_UNAVAILABLE"]);
