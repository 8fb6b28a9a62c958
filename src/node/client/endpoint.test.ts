import { thrownBy } from "../../__tests__/support/failures";
import { readEndpoint } from "./endpoint";

it.each([
  ["http://api.test/__runner", { isSecure: false, hostname: "api.test", port: undefined, basePath: "/__runner" }],
  ["https://api.test:8443/a/b/", { isSecure: true, hostname: "api.test", port: 8443, basePath: "/a/b" }],
  ["http://[::1]:7070", { isSecure: false, hostname: "::1", port: 7070, basePath: "" }],
  ["http://api.test/a%20b?x=1#y", { isSecure: false, hostname: "api.test", port: undefined, basePath: "/a%20b" }],
])("reads %s", (baseUrl, expected) => {
  expect(readEndpoint(baseUrl)).toEqual({ ...expected, origin: new URL(baseUrl).origin });
});

it.each(["/__runner", "api.test:80", "ws://api.test", ""])(
  "refuses what Node cannot connect to, by name: %p",
  (baseUrl) => {
    expect(thrownBy(() => readEndpoint(baseUrl)).message).toContain(`baseUrl "${baseUrl}"`);
  },
);

it("refuses credentials without repeating them", () => {
  const { message } = thrownBy(() => readEndpoint("http://user:secret@api.test"));

  expect(message).toContain("onRequest");
  expect(message).not.toContain("secret");
});
