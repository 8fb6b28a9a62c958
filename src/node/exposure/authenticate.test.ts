import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createTokenMatcher, isOwnProgram } from "./authenticate";
import { createCors } from "./cors";

describe("createTokenMatcher", () => {
  const find = createTokenMatcher(["short", "a-rather-long-token", "clé", "short"]);
  const matches = (presented: string): boolean => find(presented) !== undefined;

  it.each(["short", "a-rather-long-token", "clé"])("knows %s and names its holder by a digest", (presented) => {
    const digest = createHash("sha256").update(presented).digest("hex");

    expect(find(presented)).toEqual({ name: `token:${digest.slice(0, 16)}` });
  });

  it.each(["", "shor", "shorts", "short\0", "SHORT", "a-rather-long-token-and-more", "cle", "x".repeat(20_000)])(
    "does not know %j",
    (presented) => {
      expect(matches(presented)).toBe(false);
    },
  );

  it("knows nothing without tokens", () => {
    expect(createTokenMatcher([])("")).toBeUndefined();
  });

  it("keeps nothing of the value before", () => {
    matches("a-rather-long-token");

    expect(matches("short")).toBe(true);
  });
});

describe("isOwnProgram", () => {
  const from = (localAddress?: string, remoteAddress?: string, headers: Record<string, string> = {}) =>
    isOwnProgram(
      {
        socket: { localAddress, remoteAddress },
        headers: { host: "localhost", ...headers },
      } as unknown as IncomingMessage,
      createCors(),
    );

  it.each<[string | undefined, string | undefined, boolean]>([
    ["127.0.0.1", "127.0.0.1", true],
    ["127.8.8.8", "127.0.0.1", true],
    ["::1", "::1", true],
    ["::ffff:127.0.0.1", "::ffff:127.0.0.1", true],
    ["127.0.0.1", "10.0.0.1", false],
    ["10.0.0.1", "127.0.0.1", false],
    [undefined, undefined, false],
  ])("of a connection to %s from %s is %s", (local, remote, expected) => {
    expect(from(local, remote)).toBe(expected);
  });

  it.each([
    ["localhost.", false],
    ["localhost.evil.test", false],
    ["127.0.0.1.evil.test", false],
    ["evil.test:127", false],
    ["LOCALHOST:80", true],
  ])("with a host of %s is %s", (host, expected) => {
    expect(from("::1", "::1", { host })).toBe(expected);
  });
});
