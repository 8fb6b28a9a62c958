import { createCors } from "./cors";
import { mergeVary } from "./replyHeaders";

const origin = (value: string) => ["access-control-allow-origin", value];

describe("createCors", () => {
  it("createCors matches strings and expressions of one list", () => {
    const cors = createCors({ origin: ["https://a.test", /\.internal$/] });

    expect(cors.headersFor("https://a.test")).toEqual(origin("https://a.test"));
    expect(cors.headersFor("https://b.internal")).toEqual(origin("https://b.internal"));
    expect(cors.headersFor("https://c.test")).toEqual([]);
    expect(cors.headersFor(undefined)).toEqual([]);
  });

  it.each(["g", "y"])("createCors does not let an expression with the flag %s remember the last request", (flag) => {
    const cors = createCors({ origin: new RegExp("https://a\\.test", flag) });

    const answers = [1, 2, 3].map(() => cors.headersFor("https://a.test").length);

    expect(answers).toEqual([2, 2, 2]);
  });

  it("createCors never answers credentials with a star or an echo", () => {
    const cors = createCors({ credentials: true });

    expect(cors.headersFor("https://evil.test")).toEqual(["access-control-allow-credentials", "true"]);
    expect([cors.varies, cors.isUnusable]).toEqual([true, true]);
  });

  it("createCors takes empty lists for none given", () => {
    const cors = createCors({ methods: [], allowedHeaders: [] });

    expect(cors.preflightFor({ "access-control-request-headers": "x-a" })).toEqual([
      ...origin("*"),
      ...["access-control-allow-methods", "POST, OPTIONS"],
      ...["access-control-allow-headers", "x-a"],
    ]);
  });

  it("createCors reuses the headers of replies that do not differ by origin", () => {
    const cors = createCors({ origin: "https://a.test" });

    expect(cors.headersFor("https://a.test")).toBe(cors.headersFor("https://b.test"));
  });
});

it.each<[string | string[], string, string]>([
  [[], "Origin", "Origin"],
  ["Accept", "Origin", "Accept, Origin"],
  ["accept-encoding, ORIGIN", "Origin, Accept-Encoding", "accept-encoding, ORIGIN"],
  [["A", "b, C"], "B", "A, b, C"],
  ["*", "Origin", "*"],
])("a Vary of %s gains %s once", (existing, added, merged) => {
  expect(mergeVary(existing, added)).toBe(merged);
});
