import { createHash } from "node:crypto";

/** Longest key that stays readable in the bucket, in characters. */
const longestText = 512;

/**
 * A key in the alphabet of buckets, as one token of a subject: what does not fit is `=` and two digits of each byte of its UTF-8.
 * Long keys are a digest behind a slash.
 */
export function kvKey(key: string): string {
  const escaped = key.replace(/[^A-Za-z0-9_-]+/gu, (text) =>
    Array.from(Buffer.from(text), (byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
  if (escaped !== "" && escaped.length <= longestText) return escaped;
  return `/${createHash("sha256").update(key).digest("base64url")}`;
}
