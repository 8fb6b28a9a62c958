import { checkFields, type FieldRule } from "../../lib/configFields";

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
const isNumber = (value: unknown, least: number): boolean => typeof value === "number" && value >= least;

const anyObject: FieldRule = { expected: "an object", fits: isObject };
const flag: FieldRule = { expected: "true or false", fits: (value) => typeof value === "boolean" };
const aFunction: FieldRule = { expected: "a function", fits: (value) => typeof value === "function" };
/** What has a check of its own. */
const anything: FieldRule = { expected: "", fits: () => true };
const milliseconds: FieldRule = {
  expected: "a number of milliseconds, 0 or more",
  fits: (value) => isNumber(value, 0),
};

const rules: Readonly<Record<string, FieldRule>> = {
  baseUrl: anything,
  auth: { expected: "{ token, header }", fits: isObject },
  timeoutMs: milliseconds,
  silenceMs: milliseconds,
  maxReplyBytes: { expected: "a number of bytes, 1 or more", fits: (value) => isNumber(value, 1) },
  maxConnections: {
    expected: "a whole number, 1 or more",
    fits: (value) => Number.isInteger(value) && isNumber(value, 1),
  },
  onRequest: aFunction,
  fetchImpl: aFunction,
  forceSmart: {
    expected: "true, false or a function",
    fits: (value) => typeof value === "boolean" || typeof value === "function",
  },
  serializer: {
    expected: "an object with stringify and parse",
    fits: (value) => typeof Object(value).stringify === "function" && typeof Object(value).parse === "function",
  },
  contexts: { expected: "a list of async contexts", fits: (value) => Array.isArray(value) },
  errorRegistry: { expected: "a Map of error helpers", fits: (value) => typeof Object(value).get === "function" },
  compression: anyObject,
  batch: {
    expected: "true, false or { maxItems, maxBytes }",
    fits: (value) => typeof value === "boolean" || isObject(value),
  },
  propagate: anyObject,
  tasks: anyObject,
  events: anyObject,
  around: anything,
  endpoints: anything,
  balance: anything,
  eject: anything,
  probe: anything,
  resolve: anything,
  resolveMs: anything,
  onWarning: anything,
};

const authRules = {
  token: anything,
  header: {
    expected: "the name of a header",
    fits: (value: unknown) => typeof value === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(value),
  },
};
const batchRules = { maxItems: anything, maxBytes: anything };
const compressionRules = { requests: flag, responses: flag };

/**
 * Checks what a client of Node is configured with: what is misspelt would be ignored, and a time that is no number would be none.
 *
 * @param owner names the function in errors
 * @throws {TypeError} the message names the field, the value, and what it may be
 */
export function checkClientConfig(config: unknown, owner: string): void {
  if (config === undefined) return;
  // Not by the rules, whose message would show the secret that stands in the wrong place.
  const { auth, batch, compression } = Object(config) as Readonly<Record<string, unknown>>;
  if (auth !== undefined && !isObject(auth)) {
    throw new TypeError(`${owner}.auth must be { token, header }, not what is of type ${typeof auth}.`);
  }
  checkFields(config, owner, rules);
  if (auth !== undefined) {
    const { token } = auth as { readonly token?: unknown };
    if (typeof token !== "string" && token !== undefined) {
      throw new TypeError(`${owner}.auth.token must be a string, not what is of type ${typeof token}.`);
    }
    checkFields(auth, `${owner}.auth`, authRules);
  }
  if (isObject(batch)) checkFields(batch, `${owner}.batch`, batchRules);
  if (compression !== undefined) checkFields(compression, `${owner}.compression`, compressionRules);
}
