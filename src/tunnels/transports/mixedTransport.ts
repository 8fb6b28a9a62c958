import type { Transport, WireBody } from "../protocol/wire";

/** One transport for text, another for everything else. */
export interface MixedTransports {
  readonly text: Transport;
  /** Forms and streams. */
  readonly rest: Transport;
}

/** Carries each call by the transport for its kind of body. */
export function mixedTransport({ text, rest }: MixedTransports): Transport {
  return (request) => (isText(request.body) ? text(request) : rest(request));
}

const isText = ({ kind }: WireBody): boolean => kind === "text";
