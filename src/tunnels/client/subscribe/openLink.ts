import { silenceLimit } from "../../protocol/silence";
import type { WireResponse } from "../../protocol/wire";
import { retryAfterMs } from "./clock";
import { judgeEnd, judgeReply, type Refusal } from "./connectionFailure";
import { Link } from "./link";
import type { Places } from "./places";
import type { SubscriptionParts } from "./subscriptionParts";

/** What opening a link takes. */
export interface OpeningParts extends SubscriptionParts {
  /** Whether the server is asked for the paths of emissions. */
  readonly wantsPath: boolean;
}

/** A link that has begun. */
export interface OpenLink {
  readonly link: Link;
  readonly stop: AbortController;
  readonly places: Places;
}

// These and the names of headers are written out: imported, they would be moved into a file that pages begin with.
const hasEvents = /^\s*application\/x-runner-items\+ndjson\s*(;|$)/i;

/**
 * Asks for events, and reads the first line.
 *
 * @param stop ends the request, and what it brings
 * @returns the link, or what the server refused it with
 * @throws what the request failed with before there was a reply
 */
export async function openLink(
  parts: OpeningParts,
  places: Places,
  stop: AbortController,
): Promise<OpenLink | Refusal> {
  const { request, silenceMs, wantsPath, fail } = parts;
  const abortLate = (): void =>
    stop.abort(fail("STREAM_LOST", `The subscription did not begin within ${silenceMs} ms.`));
  const timer = setTimeout(abortLate, silenceMs);
  try {
    const input = { ...places.input(), ...(wantsPath && { path: true as const }) };
    const response = await places.enter(() => request(input, stop.signal));
    const { status, contentType, body, headers } = response;
    if (status < 200 || status > 299 || body.kind !== "stream" || !hasEvents.test(contentType ?? "")) {
      return await refusalOf(response, parts);
    }
    const heartbeatMs = Number(headers?.["x-runner-heartbeat-ms"]) || 0;
    const link = new Link({ ...parts, stream: body.stream, silenceMs: silenceLimit(silenceMs, heartbeatMs) });
    try {
      const { fields } = await link.next();
      if (typeof fields["ok"] === "boolean") {
        void link.close();
        return judgeEnd(fields, parts);
      }
      if (!places.begin(fields["open"])) throw link.invalid();
    } catch (error) {
      void link.close();
      throw error;
    }
    return { link, stop, places };
  } finally {
    clearTimeout(timer);
  }
}

async function refusalOf(response: WireResponse, parts: OpeningParts): Promise<Refusal> {
  const { status, body, headers } = response;
  if (body.kind === "stream") {
    void body.stream[Symbol.asyncIterator]().return?.();
    const message = "The server did not reply with events: it is older, or the address is that of something else.";
    return judgeReply(status, parts.fail("NOT_A_STREAM", message), undefined);
  }
  const error = await parts.refusalOf(response);
  if (status === 404) return judgeReply(status, unsupported(error, parts), undefined);
  return judgeReply(status, error, retryAfterMs(headers?.["retry-after"]?.toString()));
}

function unsupported(cause: unknown, { fail }: OpeningParts): Error {
  const message = "The server has no subscriptions: it is older than they are, or baseUrl leads past its exposure.";
  return fail("SUBSCRIPTIONS_UNSUPPORTED", message, cause);
}
