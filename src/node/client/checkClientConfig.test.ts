import { createHttpMixedClient, createHttpSmartClient } from "..";
import { thrownBy } from "../../__tests__/support/failures";

const baseUrl = "http://127.0.0.1:9/__runner";

describe.each([
  ["createHttpMixedClient", createHttpMixedClient],
  ["createHttpSmartClient", createHttpSmartClient],
])("%s", (name, create) => {
  it.each<[object, string]>([
    [{ baseURL: baseUrl }, `${name}.baseURL is not known. Did you mean ${name}.baseUrl?`],
    [{ timeout: 5 }, `${name}.timeout is not known.`],
    [{ retries: 5 }, `${name}.retries is not known. Known are baseUrl, auth, timeoutMs,`],
    [{ timeoutMs: NaN }, `${name}.timeoutMs must be a number of milliseconds, 0 or more, got NaN.`],
    [{ timeoutMs: -1 }, `${name}.timeoutMs must be a number of milliseconds, 0 or more, got -1.`],
    [{ timeoutMs: "5" }, `${name}.timeoutMs must be a number of milliseconds, 0 or more, got "5".`],
    [{ timeoutMs: null }, `${name}.timeoutMs must be a number of milliseconds, 0 or more, got null.`],
    [{ silenceMs: NaN }, `${name}.silenceMs must be a number of milliseconds, 0 or more, got NaN.`],
    [{ maxReplyBytes: -1 }, `${name}.maxReplyBytes must be a number of bytes, 1 or more, got -1.`],
    [{ maxConnections: 0.5 }, `${name}.maxConnections must be a whole number, 1 or more, got 0.5.`],
    [{ onRequest: "x" }, `${name}.onRequest must be a function, got "x".`],
    [{ serializer: {} }, `${name}.serializer must be an object with stringify and parse, got [object Object].`],
    [{ contexts: "all" }, `${name}.contexts must be a list of async contexts, got "all".`],
    [{ errorRegistry: {} }, `${name}.errorRegistry must be a Map of error helpers, got [object Object].`],
    [
      { compression: { request: true } },
      `${name}.compression.request is not known. Did you mean ${name}.compression.requests?`,
    ],
    [{ batch: 5 }, `${name}.batch must be true, false or { maxItems, maxBytes }, got 5.`],
    [{ batch: { maxItem: 5 } }, `${name}.batch.maxItem is not known. Did you mean ${name}.batch.maxItems?`],
    [{ auth: { tokn: "s3cret" } }, `${name}.auth.tokn is not known. Did you mean ${name}.auth.token?`],
    [{ auth: { token: "x", header: "a b" } }, `${name}.auth.header must be the name of a header, got "a b".`],
  ])("a client of Node refuses options that would be ignored: %j", (given, message) => {
    const error = thrownBy(() => create({ baseUrl, ...given }));

    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(message);
  });

  it.each<[unknown, string]>([
    ["s3cret", `${name}.auth must be { token, header }, not what is of type string.`],
    [{ token: { s3cret: 1 } }, `${name}.auth.token must be a string, not what is of type object.`],
    [{ token: ["s3cret"] }, `${name}.auth.token must be a string, not what is of type object.`],
  ])("a client of Node refuses what is no secret in a message without the secret: %j", (auth, message) => {
    const error = thrownBy(() => create({ baseUrl, auth } as never));

    expect(error.message).toContain(message);
    expect(error.message).not.toContain("s3cret");
  });

  it("a client of Node takes what a field may be, and fields that are undefined", async () => {
    await using client = create({
      baseUrl,
      auth: { token: "" },
      timeoutMs: Infinity,
      silenceMs: 0,
      maxReplyBytes: Infinity,
      maxConnections: 1,
      onRequest: undefined,
      compression: { requests: true },
    });

    expect(client.endpoints()).toHaveLength(1);
  });
});
