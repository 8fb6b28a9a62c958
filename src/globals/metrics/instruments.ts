/** Labels of a request, each of few values. */
export interface RequestLabels {
  readonly kind: "task" | "event" | "other";
  readonly id: string;
  readonly code: string;
}

/** What is read when metrics are asked for. */
export interface Gauges {
  readonly inFlight: () => number;
  readonly bufferedBytes: () => number;
  readonly poolSockets: () => number;
}

/** What requests are counted with. */
export interface Instruments {
  /** Media type of `text()`. */
  readonly contentType: string;
  /** Counts a request that has ended. */
  record(labels: RequestLabels, seconds: number): void;
  text(): string | Promise<string>;
  /** Takes back what was registered elsewhere. */
  release(): void;
}

/** What there is, under the names that dashboards use. */
export const names = {
  requests: "runner_requests_total",
  seconds: "runner_request_seconds",
  inFlight: "runner_requests_in_flight",
  bufferedBytes: "runner_buffered_bytes",
  poolSockets: "runner_pool_sockets",
} as const;

export const help: { readonly [K in keyof typeof names]: string } = {
  requests: "Requests that were answered, by the code of the answer.",
  seconds: "Time from the head of a request to the end of its reply.",
  inFlight: "Requests that are being served.",
  bufferedBytes: "Bytes in memory of bodies that are being read and of replies that are not yet taken.",
  poolSockets: "Connections that the clients of the process have open.",
};
