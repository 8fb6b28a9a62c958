/**
 * Whether a value is an origin as browsers send it (RFC 6454 section 6.2), "null" included: in small letters, without path,
 * slash and the port that its scheme has anyway. Nothing else ever matches.
 */
export function isOrigin(value: unknown): value is string {
  if (value === "null") return true;
  if (typeof value !== "string" || !/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#,*@A-Z]+$/.test(value)) return false;
  return !/^https?:/.test(value) || (URL.canParse(value) && new URL(value).origin === value);
}
