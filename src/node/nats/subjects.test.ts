import * as fc from "fast-check";
import { escapeId, unescapeId } from "./subjects";

it.each([
  ["billing.charge", "billing.charge"],
  ["billing.charge-2_a", "billing.charge-2_a"],
  ["a b", "a%20b"],
  ["a*>b", "a%2A%3Eb"],
  ["50%", "50%25"],
  ["naïve", "na%C3%AFve"],
  [".a..b.", "%2Ea%2E.b%2E"],
])("the id %j is %j in a subject", (id, subject) => {
  expect(escapeId(id)).toBe(subject);
});

it("an id comes back from its subject, of which no token is empty or a wildcard", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (id) => {
      const subject = escapeId(id);

      expect(subject).toMatch(/^[A-Za-z0-9_%-]+(\.[A-Za-z0-9_%-]+)*$/);
      expect(unescapeId(subject)).toBe(id);
    }),
  );
});

it("what no id is escaped to is none", () => {
  expect(unescapeId("a%zz")).toBeUndefined();
});
