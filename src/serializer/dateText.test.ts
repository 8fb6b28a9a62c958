import fc from "fast-check";
import { dateText } from "./dateText";

describe("dateText", () => {
  it("dateText is the text of toISOString for every date there is", () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => dateText(date) === date.toISOString()),
      { numRuns: 2000 },
    );
  });

  it.each([
    "0000-01-01T00:00:00.000Z",
    "0999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59.999Z",
    "+010000-01-01T00:00:00.000Z",
    "-000001-01-01T00:00:00.000Z",
  ])("dateText keeps the year of %s", (text) => {
    expect(dateText(new Date(text))).toBe(text);
  });

  it("dateText refuses an invalid date", () => {
    expect(() => dateText(new Date(NaN))).toThrow("Invalid time value");
  });
});
