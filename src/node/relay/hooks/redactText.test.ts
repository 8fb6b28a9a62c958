import { array, assert, constantFrom, integer, property, string } from "fast-check";
import { createTextRedactor } from "./redactText";

/** What comes out of a text that arrives in these pieces. */
function through(pieces: readonly string[], patterns: readonly RegExp[], maxMatchChars: number): string {
  const redactor = createTextRedactor(patterns, "*", maxMatchChars);
  return pieces.map((piece) => redactor.push(piece)).join("") + redactor.end();
}

it("a text that arrives in pieces is redacted as the whole text would be", () => {
  const patterns = [/secret/g, /\d{4,8}/g];
  assert(
    property(
      array(constantFrom("sec", "ret", "secret", "12", "345678", " ", "x", "s"), { maxLength: 30 }),
      (pieces) => {
        const whole = pieces.join("");
        const redacted = whole.replace(/secret/g, "*").replace(/\d{4,8}/g, "*");
        // A run of digits beyond the longest match may be cut into matches at other places.
        expect(through(pieces, patterns, 200)).toBe(redacted);
      },
    ),
  );
});

it("no piece of a text of constant length gets past its redactor, wherever it is cut", () => {
  assert(
    property(string(), string(), integer({ min: 1, max: 12 }), (before, after, size) => {
      const text = `${before}top-secret${after}top-secret`;
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      expect(through(pieces, [/top-secret/g], 10)).toBe(text.replaceAll("top-secret", "*"));
    }),
  );
});

it("a redactor holds back no more than the longest match, and nothing after a break", () => {
  const plain = createTextRedactor([/secret/g], "*", 6);
  expect(plain.push("0123456789")).toBe("0123");
  const events = createTextRedactor([/secret/g], "*", 6, "\n\n");
  expect(events.push("data: secret\n\nda")).toBe("data: *\n\n");
  expect(events.end()).toBe("da");
});
