import { unauthorized, authNotConfigured, WireFailureError } from "../../errors/wireErrors";
import type { TaskCell } from "../../runtime/link/taskCell";
import type { WireRequest } from "../protocol/wire";
import type { AuthValidatorInput, AuthValidatorResult } from "../routing/tags";

/** Lets a request pass, or throws. Synchronous unless a validator task has to be asked. */
export type Authenticate<R extends WireRequest> = (request: R) => void | Promise<void>;

/** What a server asks of those who call. */
export interface AuthenticationParts<R extends WireRequest> {
  /** Name of the header that carries the token, in lower case. */
  readonly header: string;
  /** Whether a header value is one of the tokens; absent when no token is configured. Must not leak by its timing. */
  readonly matchesToken: ((presented: string) => boolean) | undefined;
  /** Tasks that may approve what no token did, asked one after another. */
  readonly validators: readonly TaskCell[];
  /** The request, as validators see it. */
  readonly describe: (request: R) => AuthValidatorInput;
  /** Where neither tokens nor validators exist: whether this request is served all the same. */
  readonly admitsAnonymous: (request: R) => boolean;
}

/** Refuses with 401, or with 500 where authentication is missing and needed. */
export function createAuthenticate<R extends WireRequest>(parts: AuthenticationParts<R>): Authenticate<R> {
  const { header, matchesToken, validators, describe, admitsAnonymous } = parts;
  if (matchesToken === undefined && validators.length === 0) {
    return (request) => {
      if (!admitsAnonymous(request)) throw new WireFailureError(authNotConfigured);
    };
  }
  return (request) => {
    const presented = firstOf(request.headers[header]);
    // Asked even of an empty value, so that its absence takes no different path.
    if (presented !== undefined && matchesToken?.(presented)) return undefined;
    if (validators.length === 0) throw new WireFailureError(unauthorized);
    return askValidators(validators, describe(request));
  };
}

async function askValidators(validators: readonly TaskCell[], input: AuthValidatorInput): Promise<void> {
  for (const validator of validators) {
    try {
      const answer = (await validator.invoke(input)) as AuthValidatorResult | undefined;
      if (answer?.ok) return;
    } catch {
      // A validator that fails has not approved; the run has reported the failure.
    }
  }
  throw new WireFailureError(unauthorized);
}

const firstOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === "object" ? value[0] : value;
