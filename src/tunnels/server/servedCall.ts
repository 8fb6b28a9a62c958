import type { ContextSlots } from "../../platform/contextScope";
import type { WireRequest } from "../protocol/wire";
import type { Caller } from "./authenticate";
import type { CallTime } from "./callTime";
import type { Phase } from "./errorReply";
import type { HandlerParts } from "./handlerParts";
import type { OpenStream } from "./openStream";
import type { OpenStreams, ServedItems } from "./serveItems";

/** What every call of a server is served with: its parts, and what is made of them once. */
export interface ServerTools extends HandlerParts {
  readonly openStream: OpenStream;
  /** The streams of items that are open. */
  readonly openStreams: OpenStreams;
}

/** One call: how far it has come, who called, what its task finds around it, and the time it has. */
export interface ServedCall {
  readonly server: ServerTools;
  readonly request: WireRequest;
  readonly time: CallTime | undefined;
  phase: Phase;
  /** Absent until it is known. */
  caller: Caller | undefined;
  slots: ContextSlots | undefined;
  /** The stream that replies, of a streamed task. */
  items: ServedItems | undefined;
  /** Whether the outcome is that of an earlier call with the same key. */
  isReplay: boolean;
}
