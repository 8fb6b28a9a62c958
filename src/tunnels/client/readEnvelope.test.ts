import { defineError } from "../../errors/defineError";
import { TunnelError } from "../../errors/tunnelError";
import { Serializer } from "../../serializer/Serializer";
import { thrownBy } from "../../__tests__/support/failures";
import { readEnvelope } from "./readEnvelope";

const soldOut = defineError<{ sku: string }>({
  id: "app.soldOut",
  format: ({ sku }) => `${sku} is sold out`,
  dataSchema: {
    parse(data: { sku?: unknown }) {
      if (typeof data.sku !== "string") throw new Error("sku has to be text");
      return data as { sku: string };
    },
  },
});
const anything = defineError({ id: "app.anything", format: () => "anything" });

const reading = {
  serializer: new Serializer(),
  errors: new Map([
    [soldOut.id, soldOut],
    [anything.id, anything],
  ]) as never,
};

const read = (text: string, status = 200, contentType = "application/json") =>
  readEnvelope({ status, statusText: "X", contentType, body: { kind: "text", text } }, text, "fallback", reading);
const failureOf = (text: string, status?: number) => thrownBy(() => read(text, status)) as TunnelError;

it("readEnvelope believes the envelope, not the status", () => {
  expect(read('{"ok":true,"result":1}', 500).result).toBe(1);
  expect(failureOf('{"ok":false,"error":{"code":"C","message":"m"}}', 200)).toMatchObject({ code: "C", message: "m" });
});

it.each(["text/plain", "application/json-seq", "text/json; x=application/json", ""])(
  "readEnvelope believes no envelope of the type %p",
  (contentType) => {
    const forged = '{"ok":true,"result":"forged"}';

    expect(thrownBy(() => read(forged, 200, contentType))).toMatchObject({ code: "INVALID_RESPONSE" });
    expect(thrownBy(() => read(forged, 502, contentType))).toMatchObject({ code: "HTTP_ERROR" });
  },
);

it.each(["application/json", "Application/JSON ; charset=utf-8", " application/json;x"])(
  "readEnvelope takes %p for JSON",
  (contentType) => {
    expect(read('{"ok":true,"result":1}', 200, contentType).result).toBe(1);
  },
);

it.each([300, 301, 302, 303, 307, 308])("readEnvelope believes no envelope of a redirect: %i", (status) => {
  const { message } = failureOf('{"ok":true,"result":"forged"}', status);

  expect(message.split("\n")[0]).toBe(`Tunnel HTTP ${status} X`);
  expect(message).toContain("redirect");
});

it("readEnvelope ignores what it does not know", () => {
  expect(read('{"ok":true,"result":1,"meta":{"protocolVersion":9},"later":true}').result).toBe(1);
});

it.each([199, 404, 502])(
  "readEnvelope calls a reply of status %i without an envelope an HTTP error, and quotes it",
  (status) => {
    const page = `<html>${"x".repeat(600)}`;

    const error = failureOf(page, status);

    expect(error).toBeInstanceOf(TunnelError);
    expect(error).toMatchObject({
      code: "HTTP_ERROR",
      message: `Tunnel HTTP ${status} X`,
      httpCode: status,
      details: {
        statusCode: status,
        statusText: "X",
        contentType: "application/json",
        bodyPreview: page.slice(0, 512),
      },
    });
  },
);

describe("typed errors", () => {
  const failure = (error: object) =>
    JSON.stringify({ ok: false, error: { code: "INTERNAL_ERROR", message: "m", ...error } });

  it("typed errors in an envelope are thrown again by their helper, formatted here", () => {
    const error = failureOf(failure({ id: "app.soldOut", data: { sku: "tea" } }));

    expect(soldOut.is(error)).toBe(true);
    expect(error).toMatchObject({ message: "tea is sold out", data: { sku: "tea" } });
  });

  it.each([
    ["absent", {}, {}],
    ["0", { data: 0 }, 0],
    ["an empty string", { data: "" }, ""],
  ])("typed errors in an envelope need no data: %s", (_what, fields, data) => {
    const error = failureOf(failure({ id: "app.anything", ...fields }));

    expect(anything.is(error)).toBe(true);
    expect(error.data).toEqual(data);
  });

  it("typed errors in an envelope stay tunnel errors when the helper does not accept their data", () => {
    const error = failureOf(failure({ id: "app.soldOut", data: { sku: 5 } }));

    expect(error).toBeInstanceOf(TunnelError);
    expect(error).toMatchObject({ id: "app.soldOut", data: { sku: 5 }, message: "m" });
  });

  it("typed errors in an envelope stay tunnel errors, facts included, when the client lacks their helpers", () => {
    expect({ ...failureOf(failure({ id: "app.other", data: 1, httpCode: 418 })) }).toEqual({
      name: "TunnelError",
      code: "INTERNAL_ERROR",
      id: "app.other",
      data: 1,
      httpCode: 418,
    });
  });
});

it.each([
  ["an error of the wrong types", '{"ok":false,"error":{"code":5,"message":{"a":1}}}', "UNKNOWN", "fallback"],
  ["an id that is no text", '{"ok":false,"error":{"code":"C","message":"m","id":{"toString":1}}}', "C", "m"],
  ["an error that is null", '{"ok":false,"error":null}', "UNKNOWN", "fallback"],
  ["a reply that is null", "null", "INVALID_RESPONSE", "fallback"],
  ["a reply that is text", '"ok"', "INVALID_RESPONSE", "fallback"],
])("readEnvelope survives %s", (_what, text, code, message) => {
  expect(failureOf(text)).toMatchObject({ name: "TunnelError", code, message });
});

it("readEnvelope lets no reply reach a prototype", () => {
  read('{"ok":true,"result":{"__proto__":{"polluted":true}},"__proto__":{"polluted":true}}');

  expect({}).not.toHaveProperty("polluted");
  expect(failureOf('{"__proto__":{"ok":true,"result":"forged"}}')).toMatchObject({ code: "UNKNOWN" });
});
