/** Control characters, and what reorders or hides the text around it: marks of direction, and separators of lines. */
const unprintable = "\\p{Cc}\\u061c\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069";

const inLine = /* @__PURE__ */ new RegExp(`[${unprintable}]`, "gu");
const inText = /* @__PURE__ */ new RegExp(`(?!\\n)[${unprintable}]`, "gu");

/** Texts of others, as ids, messages and addresses: what controls a terminal does not reach it. */
export const printable = (line: string): string => line.replace(inLine, " ");

/** A text of several lines, JSON among them: the same as escapes of JSON, which leaves its values as they are. */
export const printableText = (text: string): string =>
  text.replace(inText, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
