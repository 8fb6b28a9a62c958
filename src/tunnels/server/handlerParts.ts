import type { IAsyncContext } from "../../define/asyncContext";
import type { IErrorHelper } from "../../errors/defineError";
import type { WireFailure } from "../../errors/wireErrors";
import type { EventManager } from "../../runtime/events/eventManager";
import type { SerializerLike } from "../../serializer/codec";
import type { ResolvedBatchLimits } from "../protocol/batch";
import type { ResolvedStreamLimits } from "../protocol/items";
import type { ResolvedSubscriptionLimits } from "../protocol/subscriptions";
import type { WireRequest } from "../protocol/wire";
import type { AllowList } from "./allowList";
import type { Authenticate, Caller } from "./authenticate";
import type { Discover } from "./discovery";
import type { Phase } from "./errorReply";
import type { Narrow } from "./narrow";
import type { OpenFile } from "./openForm";
import type { OpenStream } from "./openStream";
import type { ReadContexts } from "./readContexts";
import type { Idempotency } from "./runOnce";

/** What a server is made of. */
export interface HandlerParts {
  readonly authenticate: Authenticate;
  readonly allowList: () => AllowList;
  /** What of the allow-list a caller may reach. Default: all of it. */
  readonly narrow?: Narrow | undefined;
  /** Default: what can be reached, by ids. */
  readonly discover?: Discover | undefined;
  /** Reads what callers send; never `principalContext`. */
  readonly readContexts: ReadContexts;
  /** Provided with the principal of the caller. */
  readonly principalContext?: IAsyncContext | undefined;
  readonly eventManager: EventManager;
  /** What calls come in by, as `"exposure:http"`; also the source of the emissions that callers ask for. */
  readonly origin: string;
  readonly serializer: SerializerLike;
  /** Error helpers whose instances cross with id and data. */
  readonly errors: ReadonlyMap<string, IErrorHelper>;
  /** Largest body of text, in bytes. */
  readonly jsonBytes: number;
  readonly openFile: OpenFile;
  /** Default: any stream, by its iterator. */
  readonly openStream?: OpenStream | undefined;
  /** Most time that any call gets, in ms. Default: what its caller leaves it. */
  readonly maxDeadlineMs?: number | undefined;
  /** Receives requests whose deadline is no number of milliseconds, and is ignored. */
  readonly onMalformedDeadline?: ((request: WireRequest) => void) | undefined;
  /** What keeps calls with a key from running twice. Default: nothing does, and they are refused. */
  readonly idempotency?: (() => Idempotency | undefined) | undefined;
  /** Limits of streams of items. */
  readonly streams?: ResolvedStreamLimits | undefined;
  /** Limits of batches. */
  readonly batch?: ResolvedBatchLimits | undefined;
  /** Header that carries the token of a caller, in lower case. Default: the usual one. */
  readonly tokenHeader?: string | undefined;
  /** Limits of subscriptions. */
  readonly subscriptions?: ResolvedSubscriptionLimits | undefined;
  /** Receives what is not sent to callers. */
  readonly report: (error: unknown, request: WireRequest, phase: Phase, caller: Caller | undefined) => void;
  /** Receives requests that authentication refused, or failed for. */
  readonly onRefused?: ((request: WireRequest, error: WireFailure) => void) | undefined;
}
