import type { TunnelError } from "../../../errors/tunnelError";
import type { Transport } from "../../protocol/wire";
import type { BatchingConfig } from "./batchConfig";

/** What of its configuration a client that batches looks at. */
export interface BatchingClientConfig extends BatchingConfig {
  /** Largest reply to one call, in bytes. Default 32 MiB. */
  readonly maxReplyBytes?: number | undefined;
}

/** What the batches of one client have in common. */
export interface BatchTransport {
  readonly TunnelError: typeof TunnelError;
  /** Whether the failure of a request means that it may have been served. */
  readonly isLost: (error: Error) => boolean;
  /** Sends a batch, or a call by itself. */
  readonly sendAlone: Transport;
  readonly maxReplyBytes: number;
  /** The server takes no batches. */
  onUnsupported(): void;
  /** Calls of a task are to go by themselves. */
  onSingle(id: string): void;
}
