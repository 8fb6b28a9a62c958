import type { IAsyncContext } from "../../define/asyncContext";
import { authUnavailable } from "../../errors/wireErrors";
import { normalizeError } from "../../errors/normaliseThrown";
import { isThenable } from "../../lib/guards";
import { hasContextScope, stayingSlot, type ContextSlots } from "../../platform/contextScope";
import type { WireRequest } from "../protocol/wire";
import { refused, type Authenticate, type Caller, type FailureCount } from "./authenticate";

/** What becomes of principals. */
export interface PrincipalOptions {
  /** Provided with the principal to what is called; what callers send for it is ignored. */
  readonly context: IAsyncContext | undefined;
  /** Whether callers without a principal are refused. */
  readonly isRequired: boolean;
  /** Counts refusals by address. */
  readonly failures: FailureCount | undefined;
}

/** `null` is how most sources say that there is none. */
const isMissing = (principal: unknown): boolean => principal === undefined || principal === null;

/**
 * Authenticates, and has the schema of the context look at the principal.
 *
 * Refuses with 401 where a principal is required and missing; with 503 where the schema refuses it, since nothing is wrong
 * with the credentials then.
 */
export function authenticatePrincipal(authenticate: Authenticate, options: PrincipalOptions): Authenticate {
  const { context, isRequired, failures } = options;
  if (context === undefined && !isRequired) return authenticate;
  // Holders of tokens are the same objects each time.
  const checked = new WeakMap<Caller, Caller>();

  function check(caller: Caller, request: WireRequest): Caller {
    const known = checked.get(caller);
    if (known !== undefined) return known;
    if (isMissing(caller.principal)) {
      if (isRequired) throw refused(failures, request);
      return caller;
    }
    const valid =
      context === undefined ? caller : { ...caller, principal: validatePrincipal(context, caller.principal) };
    checked.set(caller, valid);
    return valid;
  }

  return (request) => {
    const caller = authenticate(request);
    return caller instanceof Promise ? caller.then((approved) => check(approved, request)) : check(caller, request);
  };
}

function validatePrincipal(context: IAsyncContext, principal: unknown): unknown {
  try {
    const value: unknown = context.validate(principal);
    if (isThenable(value)) throw new TypeError(`The schema of context "${context.id}" is asynchronous.`);
    return value;
  } catch (error) {
    throw authUnavailable(normalizeError(error));
  }
}

/** Provides the principal of a caller beside the contexts that it sent. It stays in this process. */
export function providePrincipal(
  { id }: IAsyncContext,
  { principal }: Caller,
  sent: ContextSlots | undefined,
): ContextSlots | undefined {
  if (isMissing(principal) || !hasContextScope()) return sent;
  const own: readonly [string, unknown][] = [
    [id, principal],
    [stayingSlot(id), true],
  ];
  return new Map(sent === undefined ? own : [...sent, ...own]);
}
