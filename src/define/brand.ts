import { invalidIdError } from "../errors/bootErrors";

/** Whether a value carries the brand of a kind of definition. */
export function hasBrand(value: unknown, brand: symbol): boolean {
  return (typeof value === "object" || typeof value === "function") && value !== null && brand in value;
}

/** @throws {invalidIdError} the id is no string, or blank */
export function assertId(kind: string, id: unknown): asserts id is string {
  if (typeof id !== "string" || id.trim() === "") throw invalidIdError.create({ kind, id });
}
