import type { BindKind } from "../../relay/controlMessages";

/** What a driver may bind and publish; compiled once from the policy of its verdict. */
export interface DriverRights {
  /** The only ports it may bind; absent for all. */
  readonly ports: readonly number[] | undefined;
  /** Whether it may take bindings of its own caller, or of any caller, away from sessions that are connected. */
  readonly takeover: "none" | "own" | "any";
  readonly maxBindings: number;
  /** Moment in ms since 1970 from which on it may do nothing; absent for never. */
  readonly expiresAtMs: number | undefined;
  /** Whether there is a binding that it may have. */
  readonly permitsAny: boolean;
  permits(binding: PermittedBinding): boolean;
  isExpired(): boolean;
}

export interface PermittedBinding {
  readonly kind: BindKind;
  readonly name: string | undefined;
  /** 0 where any will do. */
  readonly containerPort: number;
}

/**
 * Narrows the policy of a verdict.
 *
 * @returns which field cannot be meant, where one cannot: a policy that is half understood would permit too much
 */
export function readDriverPolicy(policy: unknown): DriverRights | { readonly invalid: string } {
  if (policy === undefined || policy === null) return fullRights;
  if (typeof policy !== "object") return { invalid: "policy" };
  const fields = policy as Record<string, unknown>;
  const invalid = Object.keys(fields).find((field) => fields[field] !== undefined && !checks[field]?.(fields[field]));
  if (invalid !== undefined) return { invalid: `policy.${invalid}` };
  return compile(policy);
}

interface CheckedPolicy {
  readonly ports?: readonly number[];
  readonly names?: readonly string[];
  readonly kinds?: readonly BindKind[];
  readonly takeover?: boolean | "any";
  readonly maxBindings?: number;
  readonly expiresAt?: number;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isListOf =
  (isItem: (item: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(isItem);

const checks: Readonly<Partial<Record<string, (value: unknown) => boolean>>> = {
  ports: /* @__PURE__ */ isListOf((port) => isCount(port) && (port as number) >= 1 && (port as number) <= 65_535),
  names: /* @__PURE__ */ isListOf((name) => typeof name === "string"),
  kinds: /* @__PURE__ */ isListOf((kind) => kind === "http" || kind === "tcp"),
  takeover: (value) => typeof value === "boolean" || value === "any",
  maxBindings: isCount,
  expiresAt: (value) => Number.isFinite(value),
};

function compile({ ports, names, kinds, takeover, maxBindings = Infinity, expiresAt }: CheckedPolicy): DriverRights {
  const [portSet, nameSet, kindSet] = [ports && new Set(ports), names && new Set(names), kinds && new Set(kinds)];
  return {
    ports: portSet && [...portSet],
    takeover: takeover === "any" ? "any" : takeover === false ? "none" : "own",
    maxBindings,
    expiresAtMs: expiresAt,
    permitsAny: maxBindings > 0 && portSet?.size !== 0 && kindSet?.size !== 0,
    permits: ({ kind, name, containerPort }) =>
      kindSet?.has(kind) !== false &&
      (name === undefined || nameSet?.has(name) !== false) &&
      (containerPort === 0 || portSet?.has(containerPort) !== false),
    isExpired: () => expiresAt !== undefined && Date.now() >= expiresAt,
  };
}

/** Of callers whose verdict has no policy. */
export const fullRights: DriverRights = /* @__PURE__ */ compile({});
