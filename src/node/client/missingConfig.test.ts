import { createExposureFetch, createHttpClient, createHttpMixedClient, createHttpSmartClient, globals } from "../index";

it.each([
  ["createExposureFetch", createExposureFetch],
  ["createExposureFetch", globals.tunnels.http.createClient],
  ["createHttpClient", createHttpClient],
  ["createHttpSmartClient", createHttpSmartClient],
  ["createMixedHttpClient", createHttpMixedClient],
])("a client that is made from nothing says what it needs: %s", (name, create) => {
  const withoutConfig = create as (config?: object) => unknown;

  expect(() => withoutConfig()).toThrow(`${name} requires baseUrl`);
  expect(() => withoutConfig({})).toThrow(`${name} requires baseUrl`);
});
