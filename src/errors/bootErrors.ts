import { describeValue } from "../lib/describeValue";
import * as symbols from "../lib/symbols";
import { declareError } from "./defineError";

export type RegisteredKind = "Task" | "Resource" | "Event" | "Error" | "AsyncContext" | "Middleware" | "Tag" | "Hook";

/** Two registrations share an id; ids form one namespace across all kinds. */
export const duplicateRegistrationError = /* @__PURE__ */ declareError<{
  type: RegisteredKind;
  id: string;
  /** Ids of the resources that register it, where known. */
  owners?: readonly string[];
}>("runner.errors.duplicateRegistration", {
  message: ({ type, id }) =>
    `${type} "${id}" already registered. You might have used the same 'id' in two different components or you may have registered the same element twice.`,
  fix: ({ id, owners }) =>
    owners &&
    `keep one of the registrations of "${id}"; it is registered by ${owners.map((owner) => `"${owner}"`).join(" and ")}.`,
});

/** A required dependency, or the target of an override, is not registered. */
export const dependencyNotFoundError = /* @__PURE__ */ declareError<{
  key: string;
  /** Id that is not registered. */
  id?: string;
  /** Definition that needs it, and under which key. */
  neededBy?: string;
  dependencyKey?: string;
  /** How the definition that needs it got into the app, root first. */
  registrationPath?: readonly string[];
  /** Resource that lists the override, where the target of one is missing. */
  overriddenBy?: string;
}>("runner.errors.dependencyNotFound", {
  message: ({ key }) => `Dependency ${key} not found. Did you forget to register it through a resource?`,
  fix: ({ id, neededBy, dependencyKey, registrationPath, overriddenBy }) => {
    if (overriddenBy !== undefined) {
      return `"${overriddenBy}" overrides it: register a definition of that id and kind, or correct the id of the override.`;
    }
    return (
      neededBy &&
      `"${neededBy}" lists it as "${dependencyKey ?? ""}"` +
        (registrationPath && registrationPath.length > 1 ? ` (${registrationPath.join(" -> ")})` : "") +
        `; add "${id ?? ""}" to .register([...]) of a resource of the app.`
    );
  },
});

/** Something that is no definition was registered or listed as a dependency. */
export const unknownItemTypeError = /* @__PURE__ */ declareError<{
  item: unknown;
  owner?: string;
  /** Where it stands in a dependency map. */
  key?: string;
  /** The list it stands in otherwise. */
  list?: "tags" | "middleware";
}>("runner.errors.unknownItemType", {
  message: ({ item }) =>
    `Unknown item type: ${describeItem(item)}.${
      hasForeignBrand(item) ? " Please ensure you are not using different versions of '@bluelibs/runner'" : ""
    }`,
  fix: ({ item, owner, key, list }) => {
    if (isBuilder(item)) {
      const where = key === undefined ? "registers it" : `lists it as "${key}"`;
      return `"${item.id}" is a builder${owner === undefined ? "" : `, where "${owner}" ${where}`}: call .build() on it.`;
    }
    if (owner === undefined) return "run(...) takes a resource, or what .with(config) of one returns.";
    if (list !== undefined)
      return `"${owner}" lists it in .${list}([...])${item ? "." : ": usually a circular import."}`;
    if (key === undefined) return `"${owner}" registers it: register definitions only, and call .build() on builders.`;
    return item === undefined
      ? `"${owner}" lists "${key}" as undefined: usually a circular import; use .dependencies(() => ({ ... })).`
      : `"${owner}" lists it as "${key}": depend on tasks, resources (not on what their .with() returns), events, errors or async contexts.`;
  },
});

/** A middleware that gives one result to several callers, or runs a task again, is around one that streams or takes items. */
export const middlewareRefusesStreamError = /* @__PURE__ */ declareError<{
  taskId: string;
  middlewareId: string;
  /** Absent: it streams. */
  what?: "takes items";
}>("runner.errors.middlewareRefusesStream", {
  message: ({ taskId, middlewareId, what = "streams" }) =>
    `Middleware "${middlewareId}" cannot be around task "${taskId}", which ${what}: its items are for one reader.`,
  fix: ({ taskId }) => `leave it off "${taskId}"; one that is everywhere takes a function that leaves such tasks out.`,
});

/** The dependency graph has a loop. */
export const circularDependenciesError = /* @__PURE__ */ declareError<{ cycles: readonly string[] }>(
  "runner.errors.circularDependencies",
  {
    message: ({ cycles }) => {
      const advice = [
        "Consider refactoring to reduce coupling between components",
        "Extract shared dependencies into separate resources",
      ];
      if (cycles.some((cycle) => cycle.includes("middleware"))) {
        advice.push(
          "For middleware: you can filter out tasks/resources using everywhere(fn)",
          "Consider using events for communication instead of direct dependencies",
        );
      }
      return `Circular dependencies detected:\n${bullets(cycles)}\n\nTo resolve circular dependencies:\n${bullets(advice)}`;
    },
  },
);

/** Hooks and events can emit each other for ever. */
export const eventEmissionCycleError = /* @__PURE__ */ declareError<{ cycles: readonly string[] }>(
  "runner.errors.eventEmissionCycle",
  {
    message: ({ cycles }) =>
      `Event emission cycles detected between hooks and events:\n${bullets(cycles)}\n\nThis was detected at compile time (dry-run). Break the cycle by avoiding mutual emits between hooks or scoping hooks using tags.`,
  },
);

/** A hook listens to, or a definition emits, an event that is not registered. */
export const eventNotFoundError = /* @__PURE__ */ declareError<{ id: string; neededBy?: string }>(
  "runner.errors.eventNotFound",
  {
    message: ({ id }) => `Event "${id}" not found. Did you forget to register it?`,
    fix: ({ id, neededBy }) => neededBy && `"${neededBy}" listens to it; add "${id}" to .register([...]).`,
  },
);

/** A resource is looked up that is not registered. */
export const resourceNotFoundError = /* @__PURE__ */ declareError<{ id: string }>("runner.errors.resourceNotFound", {
  message: ({ id }) => `Resource "${id}" not found. Did you forget to register it or are you using the correct id?`,
});

/** A middleware is attached that is not registered. */
export const middlewareNotRegisteredError = /* @__PURE__ */ declareError<{
  type: "task" | "resource";
  source: string;
  middlewareId: string;
  /** Of what is attached, where it is of another kind. */
  given?: string;
}>("runner.errors.middlewareNotRegistered", {
  message: ({ type, source, middlewareId }) =>
    `Middleware inside ${type} "${source}" depends on "${middlewareId}" but it's not registered. Did you forget to register it?`,
  fix: ({ type, middlewareId, given }) =>
    given === undefined
      ? `add "${middlewareId}" to .register([...]) of a resource of the app.`
      : `"${middlewareId}" is a ${given}: a ${type} takes what r.middleware.${type} makes.`,
});

/** A tag is attached that is not registered. */
export const tagNotFoundError = /* @__PURE__ */ declareError<{ id: string; usedBy?: string }>(
  "runner.errors.tagNotFound",
  {
    message: ({ id }) => `Tag "${id}" not registered. Did you forget to register it inside a resource?`,
    fix: ({ id, usedBy }) => usedBy && `"${usedBy}" carries it; add "${id}" to .register([...]).`,
  },
);

/** Kept for its id: a run cannot be initialised twice any more. */
export const storeAlreadyInitializedError = /* @__PURE__ */ declareError<Record<string, never>>(
  "runner.errors.storeAlreadyInitialized",
  { message: () => "Store already initialized. Cannot reinitialize." },
);

/** A kind of builder, as errors name it. */
export type BuilderType = "task" | "hook" | "task-middleware" | "resource-middleware" | "tunnel";

const labelOf = (type: BuilderType): string => type.charAt(0).toUpperCase() + type.slice(1).replace("-", " ");

/** `.build()` was called before everything it needs was given. */
export const builderIncompleteError = /* @__PURE__ */ declareError<{
  type: BuilderType;
  builderId: string;
  missingFields: readonly string[];
}>("runner.errors.builderIncomplete", {
  message: ({ type, builderId, missingFields }) =>
    `${labelOf(type)} "${builderId}" is incomplete. Missing required: ${missingFields.join(", ")}. Call ${missingFields
      .map((field) => `.${field}()`)
      .join(" and ")} before .build().`,
});

/** An id is no non-empty string. */
export const invalidIdError = /* @__PURE__ */ declareError<{ kind: string; id: unknown }>("runner.errors.invalidId", {
  message: ({ kind, id }) =>
    `${/^[aeiou]/.test(kind) ? "An" : "A"} ${kind} needs a non-empty string id, got ${describeItem(id)}.`,
});

/** Something given to a definition cannot be what it should be. */
export const invalidDefinitionError = /* @__PURE__ */ declareError<{
  kind: string;
  id: string;
  field: string;
  expected: string;
  received: unknown;
  /** What to write instead, where `expected` does not say it. */
  fix?: string;
}>("runner.errors.invalidDefinition", {
  message: ({ kind, id, field, expected, received }) =>
    `${kind} "${id}" has an invalid ${field}: expected ${expected}, got ${describeItem(received)}.`,
  fix: ({ fix, received }) => (received === undefined ? "it is undefined: usually a circular import." : fix),
});

/**
 * What a builder is given. Left out it would be what a builder has of its own accord, such as no validation.
 *
 * @throws {invalidDefinitionError} a field is `undefined`
 */
export function given<P extends object>(kind: string, id: string, patch: P): P {
  for (const [field, received] of Object.entries(patch)) {
    if (received === undefined) throw invalidDefinitionError.create({ kind, id, field, expected: "a value", received });
  }
  return patch;
}

/** A task is routed by two client tunnels. */
export const tunnelOwnershipConflictError = /* @__PURE__ */ declareError<{
  taskId: string;
  currentOwnerId: string;
  attemptedOwnerId: string;
}>("runner.errors.tunnelOwnershipConflict", {
  message: ({ taskId, currentOwnerId, attemptedOwnerId }) =>
    `Task "${taskId}" is already tunneled by resource "${currentOwnerId}". Resource "${attemptedOwnerId}" cannot tunnel it again. Ensure each task is owned by a single tunnel client.`,
});

/** A tunnel resource's value cannot be used. */
export const invalidTunnelError = /* @__PURE__ */ declareError<{ detail: string; fix?: string }>(
  "runner.errors.invalidTunnel",
  {
    message: ({ detail }) => detail,
    fix: ({ fix }) => fix,
  },
);

/** A difference between a contract that was written down and what its server has now. */
export interface ContractChange {
  /**
   * What it means to callers that were written against the older side:
   * `breaking` - a call that worked may fail, or a result lacks what it had;
   * `unknown` - it cannot be told, as where a pattern changed;
   * `addition` - every call goes on working.
   */
  readonly level: "breaking" | "unknown" | "addition";
  readonly kind: "task" | "event";
  readonly id: string;
  /** What changed, as "input /amount: required". */
  readonly message: string;
}

/** A server has not what a client tunnel with `verify("throw")` was written against. */
export const contractMismatchError = /* @__PURE__ */ declareError<{
  tunnelId: string;
  differences: readonly ContractChange[];
}>("runner.errors.contractMismatch", {
  message: ({ tunnelId, differences }) =>
    [
      `The server of tunnel "${tunnelId}" is not what its callers were written against.`,
      ...differences.slice(0, 20).map(({ level, kind, id, message }) => `  ${level} ${kind} "${id}": ${message}`),
      ...(differences.length > 20 ? [`  and ${differences.length - 20} more`] : []),
    ].join("\n"),
  fix: () => "bring the server up to date, or mend the callers and write the lock anew: runner contract pull",
});

/** What a client tunnel with `verify("throw")` calls does not say its contract. */
export const contractUnverifiedError = /* @__PURE__ */ declareError<{
  tunnelId: string;
  reason: string;
  code?: string | undefined;
  fix?: string | undefined;
}>("runner.errors.contractUnverified", {
  message: ({ tunnelId, reason }) => `The contract of tunnel "${tunnelId}" cannot be verified: ${reason}`,
  fix: ({ fix }) => fix,
});

/** Whether something carries a brand of the framework's that this version does not know. */
function hasForeignBrand(item: unknown): boolean {
  if ((typeof item !== "object" && typeof item !== "function") || item === null) return false;
  const known = new Set<symbol>(Object.values(symbols));
  return Object.getOwnPropertySymbols(item).some(
    (symbol) => /^(?:bluelibs\.)?runner\b/.test(symbol.description ?? "") && !known.has(symbol),
  );
}

const isBuilder = (item: unknown): item is { readonly id: string } =>
  typeof item === "object" && item !== null && "build" in item && "id" in item;

const bullets = (lines: readonly string[]): string => lines.map((line) => `  • ${line}`).join("\n");

const describeItem = (item: unknown): string => (item === "" ? '""' : describeValue(item));
