import { createHash } from "node:crypto";
import { createTokenMatcher } from "./tokenMatcher";

describe("createTokenMatcher", () => {
  const find = createTokenMatcher(["short", "a-rather-long-token", "clé", "short"]);
  const matches = (presented: string): boolean => find(presented) !== undefined;

  it.each(["short", "a-rather-long-token", "clé"])(
    "createTokenMatcher knows %s and names its holder by a digest",
    (presented) => {
      const digest = createHash("sha256").update(presented).digest("hex");

      expect(find(presented)).toEqual({ name: `token:${digest.slice(0, 16)}` });
    },
  );

  it.each(["", "shor", "shorts", "short\0", "SHORT", "a-rather-long-token-and-more", "cle", "x".repeat(20_000)])(
    "createTokenMatcher does not know %j",
    (presented) => {
      expect(matches(presented)).toBe(false);
    },
  );

  it("createTokenMatcher knows nothing without tokens", () => {
    expect(createTokenMatcher([])("")).toBeUndefined();
  });

  it("createTokenMatcher keeps nothing of the value before", () => {
    matches("a-rather-long-token");

    expect(matches("short")).toBe(true);
  });
});
