/** An object made by `{}` or `Object.create(null)`, also one from another realm. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** Whether a `for (... in ...)` loop has nothing to do; inherited keys count. */
export function hasNoKeys(record: object): boolean {
  for (const key in record) return key === undefined;
  return true;
}
