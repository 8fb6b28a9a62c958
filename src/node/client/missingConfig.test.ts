import { createExposureFetch, createHttpClient, createHttpMixedClient, createHttpSmartClient, globals } from "../index";

it.each([
  ["createExposureFetch requires baseUrl", "baseUrl", createExposureFetch],
  ["createExposureFetch requires baseUrl", "url", globals.tunnels.http.createClient],
  ["createHttpClient requires baseUrl", "baseUrl", createHttpClient],
  ["createHttpSmartClient requires baseUrl", "baseUrl", createHttpSmartClient],
  ["createHttpMixedClient requires baseUrl", "baseUrl", createHttpMixedClient],
])("a client that is made from nothing says what it needs: %s, as %s", (message, option, create) => {
  const withoutConfig = create as (config?: object) => unknown;

  for (const config of [undefined, {}]) {
    expect(() => withoutConfig(config)).toThrow(
      `${message}\nSay where the exposure is mounted: { ${option}: "https://api.example.com/__runner" }.`,
    );
  }
});
