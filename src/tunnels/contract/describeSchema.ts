import type { Schema } from "../../lib/schema";
import { isRecord, runnerKeyword, type JsonSchema, type JsonSchemaObject } from "./jsonSchema";

/** What callers give (`input`: defaults are optional, transforms have not happened), or what a schema makes of it. */
export type SchemaSide = "input" | "output";

/** @see https://standardschema.dev/json-schema 1.1.0 */
interface JsonSchemaConverter {
  readonly [side: string]:
    | ((options: {
        readonly target: "draft-2020-12";
        readonly libraryOptions?: Readonly<Record<string, unknown>> | undefined;
      }) => unknown)
    | undefined;
}

/** Stands for a schema whose library cannot put it into words. */
export const unknownSchema: JsonSchemaObject = /* @__PURE__ */ Object.freeze({ "x-runner": "unknown" });

export const isUnknownSchema = (schema: JsonSchema | undefined): boolean =>
  typeof schema === "object" && schema[runnerKeyword] === "unknown";

/** zod's names of what JSON cannot hold and the serializer can, and the names of these types there. */
const serializerTypes: Readonly<Record<string, string>> = { date: "Date", bigint: "BigInt", map: "Map", set: "Set" };

/** zod refuses to convert a schema that holds a Date, a bigint or a Map, unless told what to make of it. */
const zodOptions = {
  unrepresentable: "any",
  override({ zodSchema, jsonSchema }: { zodSchema?: { _zod?: { def?: { type?: string } } }; jsonSchema: object }) {
    const type = serializerTypes[zodSchema?._zod?.def?.type ?? ""];
    if (type === undefined) return;
    if (type === "Date") Object.assign(jsonSchema, { type: "string", format: "date-time" });
    Object.assign(jsonSchema, { [runnerKeyword]: type });
  },
};

/**
 * Puts a schema into words, as Standard JSON Schema offers it: zod 4.2 and later and arktype do by themselves, valibot
 * by `toStandardJsonSchema`, effect by `Schema.toStandardJSONSchemaV1`.
 *
 * @returns `unknownSchema` where the library does not offer it or fails
 */
export function describeSchema(schema: Schema, side: SchemaSide): JsonSchema {
  const standard = (schema as { readonly "~standard"?: { vendor?: unknown; jsonSchema?: JsonSchemaConverter } })[
    "~standard"
  ];
  const convert = standard?.jsonSchema?.[side];
  if (typeof convert !== "function") return unknownSchema;
  const libraryOptions = standard?.vendor === "zod" ? zodOptions : undefined;
  try {
    const described = convert({ target: "draft-2020-12", ...(libraryOptions !== undefined && { libraryOptions }) });
    if (!isRecord(described)) return typeof described === "boolean" ? described : unknownSchema;
    const { $schema: _draft, ...rest } = described;
    return rest;
  } catch {
    // A library says so by throwing: the schema holds what it has no words for.
    return unknownSchema;
  }
}
