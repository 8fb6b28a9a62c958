import { stableText, withoutAnnotations } from "./canonical";
import { isJsonSchema, maxSchemaDepth, runnerKeyword, type JsonSchema } from "./jsonSchema";
import { at, mismatch, unknown, type Changed, type Mismatch } from "./mismatch";
import { compareBounds, compareOthers } from "./schemaBounds";
import {
  allowsAll,
  alternativesOf,
  isReference,
  nameOf,
  namesOf,
  numberOf,
  propertiesOf,
  resolve,
  schemasOf,
  typeOf,
  type Keywords,
} from "./schemaParts";

export interface SubsetOptions {
  /** As defined at the root of each schema, for its `$ref`s. */
  readonly narrow: JsonSchema;
  readonly wide: JsonSchema;
  /**
   * Whether the values are results: readers ignore properties they do not know, and expect every one they do. Values of
   * inputs have to be accepted as they are.
   */
  readonly areResults: boolean;
}

/** Comparisons of one pair of schemas: alternatives multiply. */
const maxSteps = 20_000;

/**
 * Why `narrow` is no subset of `wide`: whether every value that the first allows is allowed by the second.
 *
 * It never says that something fits which does not, but for the annotations and for `additionalProperties` that are not
 * mentioned: those hold what was never described.
 *
 * @returns nothing if it fits
 */
export function findMismatches({ narrow, wide, areResults }: SubsetOptions): readonly Mismatch[] {
  const roots = { narrow, wide };
  /** Pairs under comparison: a recursive schema fits as long as nothing in it does not. */
  const underWay = new Set<string>();
  let steps = 0;
  const texts = new WeakMap<object, string>();
  // The wide side is the newer one of what callers give, and the older one of what they get.
  const changed: Changed = (own, other) => (areResults ? `${other} -> ${own}` : `${own} -> ${other}`);

  /** What a schema means, as a text; a reference means what its root says. */
  function textOf(schema: Keywords): string {
    let text = texts.get(schema);
    if (text === undefined) texts.set(schema, (text = stableText(withoutAnnotations(schema))));
    return text;
  }

  const refOf = (schema: JsonSchema): string =>
    typeof schema === "boolean" ? String(schema) : isReference(schema) ? schema.$ref : textOf(schema);

  function compare(a: JsonSchema, b: JsonSchema, path: string, depth: number): readonly Mismatch[] {
    if ((steps += 1) > maxSteps || depth > maxSchemaDepth) return [unknown(path, "it is too large to compare")];
    if (b === true || a === false) return [];
    if (b === false) return [mismatch(path, areResults ? "allowed now, and was not" : "no longer allowed")];
    if (isReference(a) || isReference(b)) {
      const pair = `${refOf(a)} ${refOf(b)}`;
      if (underWay.has(pair)) return [];
      const [narrowed, widened] = [resolve(a, roots.narrow), resolve(b, roots.wide)];
      if (narrowed === undefined || widened === undefined) {
        return stableText(a) === stableText(b) ? [] : [unknown(path, "$ref changed, and is not followed")];
      }
      underWay.add(pair);
      try {
        return compare(narrowed, widened, path, depth + 1);
      } finally {
        underWay.delete(pair);
      }
    }
    return compareKeywords(a === true ? {} : a, b, path, depth);
  }

  function compareKeywords(a: Keywords, b: Keywords, path: string, depth: number): readonly Mismatch[] {
    const next = (left: JsonSchema, right: JsonSchema, at = path) => compare(left, right, at, depth + 1);
    if (allowsAll(b)) return [];
    const text = textOf(a);
    // Equal references of two roots may mean different schemas.
    if (text === textOf(b) && !text.includes('"$ref"')) return [];

    const alternatives = alternativesOf(a);
    if (alternatives !== undefined) return alternatives.flatMap((each) => next(each, b));
    const all = schemasOf(b["allOf"]);
    if (all !== undefined) {
      const { allOf: _all, ...rest } = b;
      return [...(Object.keys(rest).length > 0 ? next(a, rest) : []), ...all.flatMap((each) => next(a, each))];
    }
    const choices = alternativesOf(b);
    if (choices !== undefined) {
      const results: (readonly Mismatch[])[] = [];
      for (const each of choices) {
        const result = next(a, each);
        if (result.length === 0) return [];
        results.push(result);
      }
      if (results.length === 1) return results[0] as readonly Mismatch[];
      const isUnsure = results.some((result) => result.every(({ isUnknown }) => isUnknown));
      return isUnsure
        ? [unknown(path, "one of the alternatives changed")]
        : [mismatch(path, areResults ? `may be ${nameOf(a)} now` : `${nameOf(a)} is no longer allowed`)];
    }
    const members = schemasOf(a["allOf"]);
    if (members !== undefined) {
      const { allOf: _members, ...rest } = a;
      if ([rest, ...members].some((each) => next(each, b).length === 0)) return [];
      return [unknown(path, "allOf changed")];
    }
    return compareOne(a, b, path, next);
  }

  function compareOne(
    a: Keywords,
    b: Keywords,
    path: string,
    next: (left: JsonSchema, right: JsonSchema, at?: string) => readonly Mismatch[],
  ): readonly Mismatch[] {
    if (b["const"] !== undefined || "const" in b) {
      const fits = "const" in a && stableText(a["const"]) === stableText(b["const"]);
      return fits ? [] : [mismatch(path, changed(nameOf(a), `only ${JSON.stringify(b["const"])}`))];
    }
    const [from, to] = [a[runnerKeyword], b[runnerKeyword]];
    if (from === "unknown" || to === "unknown") return [unknown(path, "the schema cannot be described")];
    if (from !== to) return [mismatch(path, changed(nameOf(a), nameOf(b)))];
    const [type, wanted] = [typeOf(a), b["type"]];
    if (wanted !== undefined && type !== wanted && !(type === "integer" && wanted === "number")) {
      return [mismatch(path, changed(nameOf(a), nameOf(b)))];
    }
    return [
      ...compareBounds(a, b, path, changed),
      ...compareOthers(a, b, path, changed),
      ...(type === "object" ? compareObjects(a, b, path, next) : []),
      ...(type === "array" ? compareArrays(a, b, path, next) : []),
    ];
  }

  function compareObjects(
    a: Keywords,
    b: Keywords,
    path: string,
    next: (left: JsonSchema, right: JsonSchema, at?: string) => readonly Mismatch[],
  ): readonly Mismatch[] {
    const found: Mismatch[] = [];
    const [own, expected] = [propertiesOf(a), propertiesOf(b)];
    const required = new Set(namesOf(a["required"]));
    if (areResults) {
      for (const name of expected.keys()) if (!own.has(name)) found.push(mismatch(at(path, name), "removed"));
    }
    for (const name of namesOf(b["required"])) {
      if (required.has(name) || (areResults && !own.has(name))) continue;
      found.push(mismatch(at(path, name), areResults ? "may be missing" : "required"));
    }
    const rest = isJsonSchema(b["additionalProperties"]) ? b["additionalProperties"] : undefined;
    for (const [name, schema] of own) {
      const counterpart = expected.get(name) ?? rest;
      if (counterpart === undefined || (counterpart === false && areResults)) continue;
      if (counterpart === false) found.push(mismatch(at(path, name), "no longer allowed"));
      else found.push(...next(schema, counterpart, at(path, name)));
    }
    const others = isJsonSchema(a["additionalProperties"]) ? a["additionalProperties"] : undefined;
    if (rest === undefined || others === false || (rest === false && areResults)) return found;
    if (rest === false) found.push(mismatch(at(path, "*"), "further properties are no longer allowed"));
    else if (others !== undefined) found.push(...next(others, rest, at(path, "*")));
    else if (rest !== true && !allowsAll(rest)) {
      const what = areResults ? "have no schema any longer" : "have a schema now";
      found.push(unknown(at(path, "*"), `further properties ${what}`));
    }
    return found;
  }

  function compareArrays(
    a: Keywords,
    b: Keywords,
    path: string,
    next: (left: JsonSchema, right: JsonSchema, at?: string) => readonly Mismatch[],
  ): readonly Mismatch[] {
    const [own, expected] = [schemasOf(a["prefixItems"]) ?? [], schemasOf(b["prefixItems"]) ?? []];
    const ownRest = isJsonSchema(a["items"]) ? a["items"] : true;
    const expectedRest = isJsonSchema(b["items"]) ? b["items"] : true;
    const found: Mismatch[] = [];
    for (let index = 0; index < Math.max(own.length, expected.length); index += 1) {
      found.push(...next(own[index] ?? ownRest, expected[index] ?? expectedRest, at(path, String(index))));
    }
    const mayBeLonger = ownRest !== false && (numberOf(a["maxItems"]) ?? Infinity) > own.length;
    return mayBeLonger ? [...found, ...next(ownRest, expectedRest, at(path, "[]"))] : found;
  }

  return compare(narrow, wide, "", 0);
}
