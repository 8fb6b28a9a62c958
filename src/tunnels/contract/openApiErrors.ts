import type { LockedError, LockedTask } from "./contractLock";
import { failed, jsonOf } from "./openApiParts";
import type { Components } from "./openApiSchemas";

const code = { type: "string" };
const message = { type: "string" };

/** Every failure, of whatever kind. */
export const failureSchema = {
  type: "object",
  required: ["ok", "error"],
  properties: {
    ok: { const: false },
    error: {
      type: "object",
      required: ["code", "message"],
      properties: {
        code,
        message,
        id: { type: "string", description: "Id of a declared error." },
        data: { description: "What a declared error carries." },
        httpCode: { type: "integer" },
      },
    },
  },
};

/** What a document says of the errors that a task declares. */
interface DescribedErrors {
  /** Envelopes, one for each error of which more than the id is known. */
  readonly schemas: readonly object[];
  /** Responses by status. Other failures may have the same status, so that they are among the alternatives. */
  readonly responses: Readonly<Record<string, object>>;
}

export function errorsOf(
  { errors = {} }: Pick<Partial<LockedTask>, "errors">,
  components: Components,
): DescribedErrors {
  const schemas: object[] = [];
  const byStatus = new Map<number, { ids: string[]; schemas: object[] }>();
  for (const [id, error] of Object.entries(errors)) {
    const schema = components.share(`${id}.failure`, () => envelopeOf(id, error, components));
    schemas.push(schema);
    const status = statusOf(error);
    // Responses of 200 are the result; that the call failed is then said by the envelope alone.
    if (status < 400) continue;
    const same = byStatus.get(status) ?? { ids: [], schemas: [] };
    byStatus.set(status, { ids: [...same.ids, id], schemas: [...same.schemas, schema] });
  }
  const responses = [...byStatus].map(([status, { ids, schemas: alternatives }]) => {
    const description = `Declared errors: ${ids.join(", ")}; or another failure.`;
    return [status, { description, content: jsonOf({ anyOf: [...alternatives, failed] }) }] as const;
  });
  return { schemas, responses: Object.fromEntries(responses) };
}

function envelopeOf(id: string, { data, httpCode }: LockedError, components: Components): object {
  const error = {
    type: "object",
    required: ["code", "message", "id"],
    properties: {
      code,
      message,
      id: { const: id },
      ...(data !== undefined && { data: components.use(`${id}.data`, data) }),
      ...(httpCode !== undefined && { httpCode: { const: httpCode } }),
    },
  };
  return { type: "object", required: ["ok", "error"], properties: { ok: { const: false }, error } };
}

/** As servers choose it: a reply of some statuses has no body. */
const statusOf = ({ httpCode = 500 }: LockedError): number =>
  httpCode < 200 || [204, 205, 304].includes(httpCode) ? 500 : httpCode;
