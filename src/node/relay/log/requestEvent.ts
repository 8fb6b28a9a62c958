import { defineEvent, type IEvent } from "../../../define/event";

/** A request that a relay has served, as operators list it. */
export interface TunnelRequestRow {
  /** Also the `X-Request-Id` of the application. */
  readonly id: string;
  /** When it arrived, ISO 8601. */
  readonly at: string;
  readonly serviceName: "tunnel";
  readonly method: string;
  readonly host: string;
  /** Without the query, which may hold credentials. */
  readonly path: string;
  /** 499 where the visitor left before a response. */
  readonly status: number;
  /** Of the request's body, carried to the driver. */
  readonly bytesIn: number;
  /** Of the response's body, carried from the driver or sent by the relay. */
  readonly bytesOut: number;
  /** Until the response was sent, or the connection was closed after an upgrade. */
  readonly ms: number;
  /** Until the response began; null where none did. */
  readonly ttfbMs: number | null;
  /** Address of the visitor, behind trusted proxies. */
  readonly peer: string;
  /** null where the request led to no binding. */
  readonly sessionId: string | null;
  readonly bindId: number | null;
  /** Which gates decided: names of built-in ones or ids of tasks, joined by "+"; null where there are none. */
  readonly gate: string | null;
  /** Code of what went wrong, as in `x-hoody-tunnel-error`; null where nothing did. */
  readonly error: string | null;
}

/** Payload of `globals.events.tunnelRequest`. */
export interface TunnelRequestPayload extends TunnelRequestRow {
  /** Name of the binding. */
  readonly name: string | undefined;
  /** Of the visitor; values of `authorization`, `cookie` and of tokens are masked. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Of the response; values of `set-cookie` and of tokens are masked. Empty after an upgrade. */
  readonly responseHeaders: Readonly<Record<string, string>>;
}

/** Emitted when a relay has served a request of a visitor. */
export const tunnelRequest: IEvent<TunnelRequestPayload> = /* @__PURE__ */ defineEvent<TunnelRequestPayload>({
  id: "globals.events.tunnelRequest",
});
