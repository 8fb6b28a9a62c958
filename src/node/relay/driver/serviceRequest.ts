import { isContentLength, type RequestHead } from "../../../relay/framePayloads";
import { flagEnd, flagUpgrade } from "../../../relay/frames";
import { endToEndHeaders, upgradeHeaders } from "../headers";

/** Whose name an application finds in `Host`: that of the visitor's URL, or its own. */
export type HostHeader = "visitor" | "local";

/**
 * The headers that a service is sent, names and values in turn.
 *
 * @param flags those of the frame that brought the head
 * @param authority takes the place of the visitor's host
 */
export function serviceHeaders(
  { headers }: Pick<RequestHead, "headers">,
  flags: number,
  authority: string | undefined,
): string[] {
  const protocol = flags & flagUpgrade ? valueOf(headers, "upgrade") : undefined;
  const sent = protocol === undefined ? endToEndHeaders(headers) : upgradeHeaders(headers, protocol);
  // A body without framing would be read as further requests.
  const hasBody = (flags & (flagEnd | flagUpgrade)) === 0;
  if (hasBody && lengthOf(sent) === undefined) sent.push("Transfer-Encoding", "chunked");
  if (authority !== undefined) replaceValue(sent, "host", authority);
  return sent;
}

/** What a service takes for the body of a request, in bytes; `undefined` where it is sent in chunks. */
export const bodyBytesOf = ({ headers, contentLength }: RequestHead): number | undefined =>
  lengthOf(headers) ?? contentLength;

/** The length that headers state, in bytes. */
export function lengthOf(headers: readonly string[]): number | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (isContentLength(headers[index] as string)) return Number(headers[index + 1]);
  }
  return undefined;
}

/** @param name in lower case */
export function valueOf(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    const given = headers[index] as string;
    if (given.length === name.length && given.toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}

function replaceValue(headers: string[], name: string, value: string): void {
  const index = headers.findIndex((entry, at) => at % 2 === 0 && entry.toLowerCase() === name);
  if (index !== -1) headers[index + 1] = value;
}
