import { isUnsafePattern } from "./regexpGuard";

describe("isUnsafePattern", () => {
  it.each([
    "(a+)+",
    "(a*)*",
    "(a?)+",
    "(a{2})*",
    "(a{1,}){2}",
    "(a{,2})*",
    "((a+)b)*",
    "(?:a+)?",
    "(?<name>a+)*",
    "([^)]+)+",
    "^(\\w+\\s?)*$",
    "(a|aa)+",
    "(aa|a)*",
    "(a|b|ab){2}",
    "(a|)+",
    "(?:a|ab)+",
    "(?<name>a|ab)?",
    "(?=a|aa)+",
  ])("refuses %s", (pattern) => {
    expect(isUnsafePattern(pattern)).toBe(true);
  });

  it.each([
    "a+",
    "(a)+",
    "(a+)",
    "(a+|b)",
    "(a|b)+",
    "(foo|bar)*",
    "(a|aa)",
    "(a)(a)+",
    "[(a+)+]",
    "([)+*]a)+",
    "\\(a+\\)+",
    "(a\\+)+",
    "(a{x})*",
    "(a{})*",
    "(?:ab)+",
    "(?<=a)b+",
    "(a+)\\+",
    "a)+",
    "(((",
    "[",
    "\\",
    "",
  ])("accepts %s", (pattern) => {
    expect(isUnsafePattern(pattern)).toBe(false);
  });

  it("stays fast on patterns made to slow it down", () => {
    for (const piece of ["(", "(?<a", "a|", "{1,", "[\\]", "(a|b)", "((a)"]) {
      expect(isUnsafePattern(piece.repeat(50_000))).toBe(false);
    }
  });
});
