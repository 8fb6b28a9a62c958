import { readEndpoint } from "./endpoint";

it.each([
  ["http://api.test/__runner", { isSecure: false, hostname: "api.test", port: undefined, basePath: "/__runner" }],
  ["https://api.test:8443/a/b/", { isSecure: true, hostname: "api.test", port: 8443, basePath: "/a/b" }],
  ["http://[::1]:7070", { isSecure: false, hostname: "::1", port: 7070, basePath: "" }],
  ["http://api.test/a%20b?x=1#y", { isSecure: false, hostname: "api.test", port: undefined, basePath: "/a%20b" }],
])("the endpoint of a base URL connects a client with the base URL %s to where it leads", (baseUrl, expected) => {
  expect(readEndpoint(baseUrl)).toEqual({ ...expected, origin: new URL(baseUrl).origin });
});
