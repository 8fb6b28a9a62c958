import { unauthorized, authNotConfigured, WireFailureError } from "../../errors/wireErrors";
import type { TaskCell } from "../../runtime/link/taskCell";
import type { WireRequest } from "../protocol/wire";
import type { AuthValidatorInput, AuthValidatorResult } from "../routing/tags";

/** Who calls. */
export interface Caller {
  /** Identifies the caller in logs: `token:` and a digest for a static token, else `anonymous`. */
  readonly name: string;
}

/** Says who calls, or throws. Synchronous unless a validator task has to be asked. */
export type Authenticate = (request: WireRequest) => Caller | Promise<Caller>;

/** What a server asks of those who call. */
export interface AuthenticationParts {
  /** Name of the header that carries the token, in lower case. */
  readonly header: string;
  /** Whose token a header value is; absent when no token is configured. Must not leak by its timing. */
  readonly findTokenHolder: ((presented: string) => Caller | undefined) | undefined;
  /** Tasks that may approve what no token did, asked one after another. */
  readonly validators: readonly TaskCell[];
  /** Where neither tokens nor validators exist: whether this request is served all the same. */
  readonly admitsAnonymous: (request: WireRequest) => boolean;
}

/** A caller about which nothing is known. */
const anonymous: Caller = { name: "anonymous" };

/** Refuses with 401, or with 500 where authentication is missing and needed. */
export function createAuthenticate(parts: AuthenticationParts): Authenticate {
  const { header, findTokenHolder, validators, admitsAnonymous } = parts;
  if (findTokenHolder === undefined && validators.length === 0) {
    return (request) => {
      if (!admitsAnonymous(request)) throw new WireFailureError(authNotConfigured);
      return anonymous;
    };
  }
  return (request) => {
    const presented = firstOf(request.headers[header]);
    // Asked even of an empty value, so that its absence takes no different path.
    const holder = presented === undefined ? undefined : findTokenHolder?.(presented);
    if (holder !== undefined) return holder;
    if (validators.length === 0) throw new WireFailureError(unauthorized);
    return askValidators(validators, describe(request));
  };
}

/** A carrier without an edge has no request of its own: validators see the headers of the call. */
const describe = ({ edge, headers }: WireRequest): AuthValidatorInput =>
  edge?.describe() ?? { headers, method: "POST", url: "/", path: "/" };

async function askValidators(validators: readonly TaskCell[], input: AuthValidatorInput): Promise<Caller> {
  for (const validator of validators) {
    try {
      const answer = (await validator.invoke(input)) as AuthValidatorResult | undefined;
      if (answer?.ok) return anonymous;
    } catch {
      // A validator that fails has not approved; the run has reported the failure.
    }
  }
  throw new WireFailureError(unauthorized);
}

const firstOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === "object" ? value[0] : value;
