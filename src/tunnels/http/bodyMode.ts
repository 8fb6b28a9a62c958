import { isItemsType } from "../protocol/replyKind";

/** What kind of body a call to a task has. */
export type BodyMode = "json" | "multipart" | "octet" | "items";

/** Anything that is neither a form nor raw bytes is taken for JSON, whatever it says it is. */
export function bodyModeOf(contentType: string | undefined): BodyMode {
  if (contentType === undefined || contentType === "application/json") return "json";
  if (/multipart\/form-data/i.test(contentType)) return "multipart";
  if (isItemsType(contentType)) return "items";
  return /^\s*application\/octet-stream\s*(;|$)/i.test(contentType) ? "octet" : "json";
}
