import { targetPath } from "../protocol/paths";
import { payloadsOf, type ContractLock, type LockedTask } from "./contractLock";
import { errorsOf, failureSchema } from "./openApiErrors";
import { failed, jsonOf, linesOf, type OpenApiPath } from "./openApiParts";
import { createComponents, type Components } from "./openApiSchemas";
import { subscribePath } from "./openApiSubscribe";
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
  const emitted: OpenApiPath[] = [];
  const heard = new Map<string, JsonSchema>();
  for (const [id, event] of Object.entries(contract.events)) {
    const { emit, subscribe } = payloadsOf(event);
    if (emit !== undefined) emitted.push(operationOf("event", id, { payload: event.payload }, components));
    if (subscribe !== undefined) heard.set(id, subscribe);
  }
  const listening = heard.size > 0 ? [subscribePath(heard, components)] : [];
  return {
    openapi: "3.1.0",
    info: { title, version },
    servers: [{ url }],
    ...(tokenHeader !== undefined && { security: [{ token: [] }] }),
    paths: Object.fromEntries([...tasks, ...emitted, ...listening]),
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
  entry: Partial<LockedTask> & { readonly payload?: JsonSchema | undefined },
  components: Components,
): OpenApiPath {
  const { input = entry.payload, result, items, itemInput, throws = [] } = entry;
  const { schemas: declared, responses } = errorsOf(entry, components);
  const body = (name: string, schema: JsonSchema | undefined, required: readonly string[], others = {}) => ({
    type: "object",
    ...(required.length > 0 && { required }),
    properties: { ...others, ...(schema !== undefined && { [name]: components.use(`${id}.${name}`, schema) }) },
  });
  const given = body(kind === "task" ? "input" : "payload", input, []);
  const gotten = body("result", result, ["ok"], { ok: { const: true } });
  const content =
    itemInput === undefined
      ? jsonOf(given)
      : linesOf([given, body("item", itemInput, ["item"]), body("ok", { const: true }, ["ok"])]);
  const success =
    items === undefined
      ? { description: "The result.", content: jsonOf(gotten) }
      : {
          description: 'Lines: one for each item, and at the end {"ok": true, "result"} or {"ok": false, "error"}.',
          content: linesOf([body("item", items, ["item"]), gotten, ...declared, failed]),
        };
  const operation = {
    operationId: `${kind}:${id}`,
    tags: [kind],
    ...(throws.length > 0 && { description: `Declared errors: ${throws.join(", ")}.` }),
    requestBody: {
      ...(itemInput !== undefined && { description: "Lines: the input first, one for each item, and an end." }),
      required: true,
      content,
    },
    responses: { 200: success, ...responses, default: { $ref: "#/components/responses/Failure" } },
  };
  return [targetPath({ kind, id }), { post: operation }];
}
