import type { IncomingHttpHeaders } from "node:http";

/** A request of a visitor, as gates, hooks and the request log see it. */
export interface TunnelVisitor {
  /** Also what the application receives as `X-Request-Id`. */
  readonly requestId: string;
  /** In upper case. */
  readonly method: string;
  /** In lower case, without port. */
  readonly host: string;
  /** Path and query as the application receives them: without a prefix that led to the binding. */
  readonly target: string;
  /** As they arrived, names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** Address of the visitor, behind trusted proxies. */
  readonly peer: string;
  /** Whether the visitor came over https. */
  readonly isSecure: boolean;
  /** Whether it asks to switch protocols, as a WebSocket does. */
  readonly isUpgrade: boolean;
  /** Name of the binding. */
  readonly name: string | undefined;
  /** Port of the binding on the relay. */
  readonly containerPort: number;
}
