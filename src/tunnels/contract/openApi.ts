import { targetPath } from "../protocol/paths";
import type { ContractLock, LockedEvent, LockedTask } from "./contractLock";
import { createComponents, type Components } from "./openApiSchemas";
import type { JsonSchema } from "./jsonSchema";

export interface OpenApiOptions {
  readonly title: string;
  /** Version of the document, as OpenAPI wants one. Default: the hash of the contract. */
  readonly version?: string | undefined;
  /** Where the calls go, with the base path, as `https://api.example.com/__runner`. */
  readonly url: string;
  /** Header that carries the token, where callers need one. */
  readonly tokenHeader?: string | undefined;
}

/** An OpenAPI 3.1 document of what can be called over HTTP. @see https://spec.openapis.org/oas/v3.1.1 */
export function openApiOf(contract: ContractLock, options: OpenApiOptions): Record<string, unknown> {
  const { title, version = contract.hash, url, tokenHeader } = options;
  const components = createComponents();
  const tasks = Object.entries(contract.tasks).map(([id, task]) => operationOf("task", id, task, components));
  const events = Object.entries(contract.events).map(([id, event]) =>
    operationOf("event", id, { throws: [], ...event }, components),
  );
  return {
    openapi: "3.1.0",
    info: { title, version },
    servers: [{ url }],
    ...(tokenHeader !== undefined && { security: [{ token: [] }] }),
    paths: Object.fromEntries([...tasks, ...events]),
    components: {
      schemas: { Failure: failureSchema, ...components.schemas },
      responses: {
        Failure: {
          description: "The call failed: the code says how, and the id which declared error it is.",
          content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
        },
      },
      ...(tokenHeader !== undefined && {
        securitySchemes: { token: { type: "apiKey", in: "header", name: tokenHeader } },
      }),
    },
  };
}

function operationOf(
  kind: "task" | "event",
  id: string,
  entry: LockedTask & LockedEvent,
  components: Components,
): readonly [string, object] {
  const { input = entry.payload, result, items, throws = [] } = entry;
  const body = (name: string, schema: JsonSchema | undefined, required: readonly string[], others = {}) =>
    jsonOf({
      type: "object",
      ...(required.length > 0 && { required }),
      properties: { ...others, ...(schema !== undefined && { [name]: components.use(`${id}.${name}`, schema) }) },
    });
  const success =
    items === undefined
      ? { description: "The result.", content: body("result", result, ["ok"], { ok: { const: true } }) }
      : {
          description: 'A line for each item, and one for the end: {"ok": …}.',
          content: itemsOf(components.use(`${id}.item`, items)),
        };
  const operation = {
    operationId: `${kind}:${id}`,
    tags: [kind],
    ...(throws.length > 0 && { description: `Declared errors: ${throws.join(", ")}.` }),
    requestBody: { required: true, content: body(kind === "task" ? "input" : "payload", input, []) },
    responses: { 200: success, default: { $ref: "#/components/responses/Failure" } },
  };
  return [targetPath({ kind, id }), { post: operation }];
}

const jsonOf = (schema: object) => ({ "application/json": { schema } });

const itemsOf = (item: unknown) => ({
  "application/x-runner-items+ndjson": { schema: { type: "object", properties: { item } } },
});

const failureSchema = {
  type: "object",
  required: ["ok", "error"],
  properties: {
    ok: { const: false },
    error: {
      type: "object",
      required: ["code", "message"],
      properties: {
        code: { type: "string" },
        message: { type: "string" },
        id: { type: "string", description: "Id of a declared error." },
        data: { description: "What a declared error carries." },
        httpCode: { type: "integer" },
      },
    },
  },
};
