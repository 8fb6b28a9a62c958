import { isError } from "../../errors/normaliseThrown";
import { targetPath } from "./paths";
import type { WireTarget } from "./wire";

/** Marks errors that say which call they ended. */
const located: unique symbol = /* @__PURE__ */ Symbol.for("runner.failedCall");

/**
 * Adds to the error of a call which call it was: lines after the first, which stays as it is.
 *
 * @param baseUrl where the call was sent, if it was sent to an address
 * @returns the error itself
 */
export function locateFailure<E>(error: E, target: WireTarget, baseUrl: string | undefined): E {
  if (isLocated(error)) return error;
  const address = baseUrl === undefined ? "" : `: POST ${absolute(baseUrl)}${targetPath(target)}`;
  return addLine(error, `  ${target.kind} "${target.id}"${address}`);
}

/** Keeps a declared error as it is: its message is the application's, and may travel on. @returns the error itself */
export function keepMessage<E extends Error>(error: E): E {
  if (Object.isExtensible(error)) define(error, located, 0);
  return error;
}

/** Has an error that stands for another one say as much of its call. @returns the error itself */
export function locatedAs<E extends Error>(error: E, original: unknown): E {
  if (isLocated(original)) define(error, located, original[located]);
  return error;
}

/** Adds which tunnel routed a call, if the error says which call that was. */
export function nameTunnel<E>(error: E, tunnelId: string): E {
  return isLocated(error) && error[located] === 1 ? addLine(error, `  routed by tunnel "${tunnelId}"`) : error;
}

/** Adds what was decided about the failure of a call; declared errors stay as they are. */
export const explainFailure = <E>(error: E, line: string): E =>
  isLocated(error) && error[located] > 0 ? addLine(error, `  ${line}`) : error;

const isLocated = (error: unknown): error is Error & { [located]: number } =>
  typeof error === "object" && error !== null && located in error;

function addLine<E>(error: E, line: string): E {
  // A frozen one, and what is no error, stay as they are.
  if (!isError(error) || !Object.isExtensible(error)) return error;
  const lines = isLocated(error) ? error[located] : 0;
  const { message, stack } = error;
  // Errors for several addresses have no message of their own.
  const longer = `${message || String((error as { code?: unknown }).code ?? error.name)}\n${line}`;
  define(error, "message", longer);
  if (typeof stack === "string" && message !== "" && stack.includes(message)) {
    define(
      error,
      "stack",
      stack.replace(message, () => longer),
    );
  }
  define(error, located, lines + 1);
  return error;
}

/** Some messages are accessors of a prototype. */
const define = (error: Error, key: PropertyKey, value: unknown): void =>
  void Object.defineProperty(error, key, { value, configurable: true, writable: true });

/** A relative address is relative to the page. */
const absolute = (baseUrl: string): string =>
  /^[a-z]+:/.test(baseUrl) ? baseUrl : `${globalThis.location?.origin ?? ""}${baseUrl}`;
