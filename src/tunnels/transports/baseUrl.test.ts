import { rejectionOf, thrownBy } from "../../__tests__/support/failures";
import { parseBaseUrl, reachableAddress, readBaseUrl } from "./baseUrl";

it.each([
  ["http://api.test/r", "http://api.test/r"],
  ["http://api.test", "http://api.test"],
  ["http://api.test/r/", "http://api.test/r"],
  ["http://api.test/r//", "http://api.test/r"],
  ["https://API.test:443/r", "https://api.test/r"],
  ["http://[::1]:7070/r", "http://[::1]:7070/r"],
  [" http://api.test/a b/ ", "http://api.test/a%20b"],
  ["http://api.test/a%20b?x=1#y", "http://api.test/a%20b"],
  ["http://api.test/r/?next=a/b/", "http://api.test/r"],
  ["http://api.test/r#/x/", "http://api.test/r"],
  ["/__runner/", "/__runner"],
  ["/__runner?x=1#y", "/__runner"],
  ["/", ""],
  ["rpc", "rpc"],
])("sends the calls of a client with the base URL %p to %p", (baseUrl, text) => {
  expect(parseBaseUrl(baseUrl)).toMatchObject({ text });
  expect(parseBaseUrl(baseUrl).problem).toBeUndefined();
});

it.each(["ftp://api.test/r", "ws://api.test", "api.test:80", "http://", "localhost:7070/r"])(
  "refuses %p, which is no address of an exposure, by name",
  (baseUrl) => {
    expect(parseBaseUrl(baseUrl).problem).toBe(`baseUrl "${baseUrl}" has to be an absolute http or https URL.`);
  },
);

it.each([
  "http://user:secret@api.test/r",
  "https://:secret@api.test",
  "http://secret@api.test",
  "ftp://user:secret@api.test/r",
  "user:secret@api.test/r",
  "//user:secret@api.test/r",
  "http://user:secret@",
  "http://user:se@cret@api.test",
])("refuses the credentials of %p without repeating them", (baseUrl) => {
  const { problem, text } = parseBaseUrl(baseUrl);

  expect(problem).toContain("baseUrl");
  expect(`${problem} ${text}`).not.toMatch(/secret|cret@/);
});

it.each([undefined, ""])("names who needs a base URL, and shows one, where there is %p", (baseUrl) => {
  expect(thrownBy(() => readBaseUrl({ baseUrl }, "createX")).message).toBe(
    'createX requires baseUrl\nSay where the exposure is mounted: { baseUrl: "https://api.example.com/__runner" }.',
  );
});

it("sends calls to a relative address only where there is something that it is relative to", async () => {
  const reply = { status: 200, body: { kind: "text", text: "" } } as const;
  const send = async () => reply;
  const request = {} as never;

  expect(await reachableAddress(parseBaseUrl("/r"), () => true)(send)(request)).toBe(reply);
  expect((await rejectionOf(reachableAddress(parseBaseUrl("/r"), () => false)(send)(request))).message).toBe(
    'baseUrl "/r" has to be an absolute http or https URL.',
  );
});
