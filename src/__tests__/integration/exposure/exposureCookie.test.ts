import { nodeExposure, r, type NodeExposureHttpConfig } from "../../../node/index";
import { startExposure, token } from "../../support/exposure";

const hello = r
  .task("hello")
  .run(async () => "hi")
  .build();

/** The status for a request with these header lines, to the host app.test. */
async function statusOf(lines: readonly string[], http: NodeExposureHttpConfig = {}, path = "task/hello") {
  await using exposure = await startExposure([hello], { auth: { token, cookie: { name: "sid" } }, ...http });
  const connection = exposure.connect();
  const head = [
    `POST /__runner/${path} HTTP/1.1`,
    "Host: app.test",
    "Connection: close",
    "Content-Length: 2",
    ...lines,
  ];
  connection.write(`${head.join("\r\n")}\r\n\r\n{}`);
  return Number((await connection.closed).slice(9, 12));
}
const cookie = `Cookie: sid=${token}`;
const named = { cors: { origin: ["https://ui.test"], credentials: true } };

it.each<[string, readonly string[], number]>([
  ["alone", [cookie], 200],
  ["of its own origin", [cookie, "Origin: https://app.test"], 200],
  ["of its own site, as browsers say", [cookie, "Sec-Fetch-Site: same-origin"], 200],
  ["typed by a person", [cookie, "Sec-Fetch-Site: none"], 200],
  ["among others", [`Cookie: a=b; sid=${token}`], 200],
  ["with another value", ["Cookie: sid=wrong"], 401],
  ["under another name", [`Cookie: SID=${token}`], 401],
  ["set twice", [`Cookie: sid=${token}; sid=other`], 401],
  ["set twice, in two headers", [cookie, cookie], 401],
  ["beside a header that is wrong", [cookie, "x-runner-token: wrong"], 401],
  ["from a page of another origin", [cookie, "Origin: https://evil.test"], 403],
  ["from another port", [cookie, "Origin: https://app.test:8443"], 403],
  ["from a page without origin", [cookie, "Origin: null"], 403],
  ["from another site, as browsers say", [cookie, "Sec-Fetch-Site: cross-site"], 403],
  ["from another host of the site", [cookie, "Sec-Fetch-Site: same-site"], 403],
  ["with a wrong value, from another site", ["Cookie: sid=wrong", "Origin: https://evil.test"], 403],
])("a token in a cookie %s: %j answers %i", async (_what, lines, status) => {
  expect(await statusOf(lines)).toBe(status);
});

it("a token in a cookie is taken from pages whose origin cors.origin names, which the default does not", async () => {
  expect(await statusOf([cookie, "Origin: https://ui.test"], named)).toBe(200);
  expect(await statusOf([cookie, "Origin: https://evil.test"], named)).toBe(403);
  expect(await statusOf([cookie, "Origin: https://ui.test"], { cors: { origin: "*" } })).toBe(403);
  expect(await statusOf([cookie, "Origin: https://ui.test"], { cors: { origin: async (origin) => origin } })).toBe(200);
});

it("a token in a cookie is guarded for events and discovery as well", async () => {
  expect(await statusOf([cookie, "Origin: https://evil.test"], {}, "event/none")).toBe(403);
  expect(await statusOf([cookie, "Origin: https://evil.test"], {}, "discovery")).toBe(403);
});

it("a token in a cookie counts for nothing unless auth.cookie names it", async () => {
  expect(await statusOf([cookie], { auth: { token } })).toBe(401);
  expect(() => nodeExposure.with({ http: { auth: { cookie: { name: "a b" } } } })).toThrow(
    "http.auth.cookie.name must be the name of a cookie",
  );
});
