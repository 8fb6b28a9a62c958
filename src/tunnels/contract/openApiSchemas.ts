import { isRecord, runnerKeyword, type JsonSchema } from "./jsonSchema";
import { decoded } from "./schemaParts";

/** The schemas that a document refers to by name. */
export interface Components {
  readonly schemas: Readonly<Record<string, unknown>>;
  /** @returns what stands in the place of the schema: itself, or a reference where parts of it refer to others */
  use(name: string, schema: JsonSchema): unknown;
  /** @returns a reference to the schema, which is made once for each of these names */
  share(name: string, make: () => unknown): object;
}

/** Definitions of schemas belong to the document: a reference begins at its root. */
export function createComponents(): Components {
  const schemas: Record<string, unknown> = {};
  const shared = new Map<string, object>();

  /** OpenAPI allows letters, digits and `._-` alone in names; ids of applications may hold more. */
  function nameFor(wanted: string): string {
    const base = wanted.replace(/[^\w.-]/g, "_");
    let name = base;
    for (let count = 2; Object.hasOwn(schemas, name); count += 1) name = `${base}_${count}`;
    return name;
  }

  return {
    schemas,
    share(wanted, make) {
      const known = shared.get(wanted);
      if (known !== undefined) return known;
      const name = nameFor(wanted);
      schemas[name] = true;
      const reference = { $ref: `#/components/schemas/${name}` };
      shared.set(wanted, reference);
      schemas[name] = make();
      return reference;
    },
    use(wanted, schema) {
      if (!JSON.stringify(schema).includes('"$ref"') || typeof schema === "boolean") return written(schema, keep);
      const { $defs, definitions, ...root } = schema;
      const name = nameFor(wanted);
      schemas[name] = true;
      const names = new Map([["#", name]]);
      const parts = [
        ["$defs", $defs],
        ["definitions", definitions],
      ] as const;
      for (const [keyword, defined] of parts) {
        for (const key of Object.keys(isRecord(defined) ? defined : {})) {
          const own = nameFor(`${name}.${key}`);
          schemas[own] = true;
          names.set(`#/${keyword}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, own);
        }
      }
      const move = (reference: string): string => {
        const own = names.get(decoded(reference) ?? reference);
        return own === undefined ? reference : `#/components/schemas/${own}`;
      };
      schemas[name] = written(root, move);
      for (const [keyword, defined] of parts) {
        for (const [key, part] of Object.entries(isRecord(defined) ? defined : {})) {
          const reference = `#/${keyword}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
          schemas[names.get(reference) as string] = written(part, move);
        }
      }
      return { $ref: `#/components/schemas/${name}` };
    },
  };
}

const keep = (reference: string): string => reference;

/** A schema as its values look in a body: what JSON cannot hold is written as an object that names its type. */
function written(value: unknown, move: (reference: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => written(item, move));
  if (!isRecord(value)) return value;
  const { [runnerKeyword]: type, ...rest } = value;
  if (typeof type === "string" && type !== "unknown") return taggedValue(type, rest);
  const entries = Object.entries(rest).map(([key, item]) => {
    if (key === "$ref" && typeof item === "string") return [key, move(item)];
    if (key === "const" || key === "enum" || key === "default") return [key, item];
    // Their keys are names that people chose.
    if ((key === "properties" || key === "patternProperties") && isRecord(item)) return [key, writtenEach(item, move)];
    return [key, written(item, move)];
  });
  return Object.fromEntries(entries) as unknown;
}

const writtenEach = (schemas: Readonly<Record<string, unknown>>, move: (reference: string) => string): unknown =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, written(schema, move)]));

function taggedValue(type: string, { type: _text, format, ...beside }: Readonly<Record<string, unknown>>): unknown {
  const value = format === undefined ? {} : { type: "string", format };
  return { ...beside, type: "object", required: ["__type", "value"], properties: { __type: { const: type }, value } };
}
