import { stableText, withoutAnnotations } from "./canonical";
import { mismatch, unknown, type Changed, type Mismatch } from "./mismatch";
import { numberOf, type Keywords } from "./schemaParts";

const lowerBounds = ["minLength", "minItems", "minProperties"] as const;
const upperBounds = ["maxLength", "maxItems", "maxProperties"] as const;

/** Compared by rules of their own, or of no meaning by themselves. Any other keyword that differs is reported as unknown. */
const comparedKeywords = /* @__PURE__ */ new Set<string>([
  "type",
  "const",
  "enum",
  "anyOf",
  "oneOf",
  "allOf",
  "$ref",
  "$defs",
  "definitions",
  "default",
  "x-runner",
  "minimum",
  "exclusiveMinimum",
  "maximum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "minItems",
  "minProperties",
  "maxLength",
  "maxItems",
  "maxProperties",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "prefixItems",
]);

/** Least and greatest values, lengths and counts. */

export function compareBounds(a: Keywords, b: Keywords, path: string, changed: Changed): readonly Mismatch[] {
  const found: Mismatch[] = [];
  const value = a["const"];
  const length = typeof value === "string" ? [...value].length : undefined;
  const lower = (schema: Keywords): readonly [number, boolean] => bound(schema, "minimum", "exclusiveMinimum", 1);
  const upper = (schema: Keywords): readonly [number, boolean] => bound(schema, "maximum", "exclusiveMaximum", -1);
  for (const [side, name, sign] of [
    [lower, "minimum", 1],
    [upper, "maximum", -1],
  ] as const) {
    const [limit, isOpen] = side(b);
    if (!Number.isFinite(limit)) continue;
    const [own, ownIsOpen] = typeof value === "number" ? ([value, false] as const) : side(a);
    if ((own - limit) * sign > 0 || (own === limit && (!isOpen || ownIsOpen))) continue;
    const ours = Number.isFinite(own) ? String(own) : "none";
    found.push(mismatch(path, `${name} ${changed(ours, `${isOpen ? "beyond " : ""}${limit}`)}`));
  }
  for (const [keywords, sign] of [
    [lowerBounds, 1],
    [upperBounds, -1],
  ] as const) {
    for (const keyword of keywords) {
      const limit = numberOf(b[keyword]);
      if (limit === undefined || (sign === 1 && limit <= 0)) continue;
      const own = keyword.endsWith("Length") && length !== undefined ? length : numberOf(a[keyword]);
      if (own !== undefined && (own - limit) * sign >= 0) continue;
      found.push(mismatch(path, `${keyword} ${changed(String(own ?? "none"), String(limit))}`));
    }
  }
  return found;
}

/** The tighter of two bounds, and whether it is itself outside. */
function bound(schema: Keywords, inclusive: string, exclusive: string, sign: 1 | -1): readonly [number, boolean] {
  const closed = numberOf(schema[inclusive]) ?? -Infinity * sign;
  const open = numberOf(schema[exclusive]) ?? -Infinity * sign;
  return (open - closed) * sign >= 0 && Number.isFinite(open) ? [open, true] : [closed, false];
}

/** Keywords that the rules know nothing of, and those where being different says nothing. */

export function compareOthers(a: Keywords, b: Keywords, path: string, changed: Changed): readonly Mismatch[] {
  const meant = withoutAnnotations(b) as Keywords;
  const found: Mismatch[] = [];
  for (const [keyword, value] of Object.entries(meant)) {
    if (comparedKeywords.has(keyword) || stableText(value) === stableText(a[keyword])) continue;
    found.push(unknown(path, `${keyword} changed`));
  }
  const [step, wanted] = [numberOf(a["multipleOf"]), numberOf(b["multipleOf"])];
  if (wanted !== undefined && (step === undefined || step % wanted !== 0)) {
    found.push(unknown(path, `multipleOf ${changed(String(step ?? "none"), String(wanted))}`));
  }
  return found;
}
