import { targetPath } from "../protocol/paths";
import type { JsonSchema } from "./jsonSchema";
import { failed, jsonOf, linesOf, type OpenApiPath } from "./openApiParts";
import type { Components } from "./openApiSchemas";

/** Payloads of events that may be listened to, by id. */
export type HeardPayloads = ReadonlyMap<string, JsonSchema>;

/** The path over which events are listened to: one request for all of them, whose reply goes on in lines. */
export function subscribePath(heard: HeardPayloads, components: Components): OpenApiPath {
  const ids = { type: "string", enum: [...heard.keys()] };
  const cursor = { type: "string", description: "`<epoch>-<seq>`, as the lines have it." };
  const cursors = { type: "object", additionalProperties: cursor };
  const input = {
    type: "object",
    required: ["events"],
    properties: {
      events: { type: "array", items: ids, minItems: 1, uniqueItems: true },
      after: { ...cursors, description: "Behind which place to go on, by the id of the event." },
      path: { type: "boolean", description: "Asks for the lines that say which emission an event is." },
    },
  };
  const body = { type: "object", required: ["input"], properties: { input } };
  const events = [...heard].map(([id, payload]) => ({
    type: "object",
    required: ["event", "id"],
    properties: { event: { const: id }, id: cursor, item: components.use(`${id}.heard`, payload) },
  }));
  const operation = {
    operationId: "subscribe",
    tags: ["event"],
    description: "Lets events be heard: those that are emitted from now on, or that were emitted behind a place.",
    requestBody: { required: true, content: jsonOf(body) },
    responses: {
      200: {
        description: "Lines: where each event stands, then one for each emission, until either side ends it.",
        content: linesOf([lineOf("open", cursors), ...events, gapLine(ids), pathLine(ids), endLine, failed]),
      },
      default: { $ref: "#/components/responses/Failure" },
    },
  };
  return [targetPath({ kind: "subscribe", id: "" }), { post: operation }];
}

const lineOf = (name: string, schema: object) => ({
  type: "object",
  required: [name],
  properties: { [name]: schema },
});

const gapLine = (event: object) =>
  lineOf("gap", {
    type: "object",
    required: ["event", "reason", "missed"],
    properties: {
      event,
      reason: { type: "string", description: "`expired`, `unknown`, `slow`, or one of a later version." },
      missed: { type: ["integer", "null"], description: "How many emissions do not come, where that is known." },
    },
  });

const pathLine = (event: object) =>
  lineOf("path", {
    type: "object",
    required: ["event", "id", "via"],
    properties: { event, id: { type: "string" }, via: { type: "string" } },
  });

const endLine = { type: "object", required: ["ok"], properties: { ok: { const: true } } };
