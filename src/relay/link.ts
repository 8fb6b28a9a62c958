/** A connection between relay and driver: bytes in messages, in order. A WebSocket is one. */
export interface Link {
  /** Sends the pieces as one message. */
  send(pieces: readonly Uint8Array[]): void;
  /** Bytes that were sent and that the connection has not taken. */
  readonly queuedBytes: number;
  /** Closes after what was sent. @param reason at most 123 bytes */
  close(code: number, reason: string): void;
  /** Cuts the connection. */
  destroy(): void;
}
