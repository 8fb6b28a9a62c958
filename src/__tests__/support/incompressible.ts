import { randomBytes } from "node:crypto";

/** Text of which no two pieces are alike: compression takes a quarter of it, and not more, whatever was sent before. */
export const incompressibleText = (length: number): string =>
  randomBytes(Math.ceil((length * 3) / 4))
    .toString("base64")
    .slice(0, length);
