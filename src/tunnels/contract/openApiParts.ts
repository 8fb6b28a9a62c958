import { itemsContentType } from "../protocol/headers";

/** A path of a document, and what may be done there. */
export type OpenApiPath = readonly [path: string, operations: object];

/** A call that failed. */
export const failed = { $ref: "#/components/schemas/Failure" };

export const jsonOf = (schema: object) => ({ "application/json": { schema } });

/** Lines of JSON, each of which is one of these; OpenAPI 3.1 has no word for a sequence. */
export const linesOf = (lines: readonly object[]) => ({ [itemsContentType]: { schema: { anyOf: lines } } });
