import fc from "fast-check";
import { compilePublicUrl, isBindableName, splitPatterns } from "./publicUrl";

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const port = fc.integer({ min: 1, max: 65_535 });

describe("a public URL pattern", () => {
  it.each([
    "https://{port}-{name}.tun.example.com",
    "https://{name}-{port}.tun.example.com",
    "https://{name}.tun.example.com/{port}",
    "https://relay.example.com/t/{name}/",
    "http://relay.example.com/p/{port}",
  ])("a public URL pattern %s leads back to every binding it was made for", (text) => {
    const pattern = compilePublicUrl(text);
    fc.assert(
      fc.property(name, port, (boundName, boundPort) => {
        const url = new URL(pattern.format({ name: boundName, port: boundPort }) as string);
        const match = pattern.match(url.hostname, url.pathname);

        expect(match).toMatchObject({
          ...(text.includes("{name}") && { name: boundName }),
          ...(text.includes("{port}") && { port: boundPort }),
        });
      }),
    );
  });

  it("a public URL pattern gives no URL where the binding lacks what it needs", () => {
    expect(compilePublicUrl("https://{name}.example.com").format({ port: 1 })).toBeUndefined();
    expect(compilePublicUrl("http://relay.example.com:{port}/").format({ port: 3000 })).toBe(
      "http://relay.example.com:3000/",
    );
  });

  it.each([
    ["another domain", "3000-web.tun.example.org", "/"],
    ["a label too many", "a.3000-web.tun.example.com", "/"],
    ["a suffix", "3000-web.tun.example.com.evil.test", "/"],
    ["no port", "web.tun.example.com", "/"],
    ["a port past 65535", "99999-web.tun.example.com", "/"],
    ["a character that stands for any other in an expression", "3000-webxtunxexample.com", "/"],
  ])("a public URL pattern does not match %s", (_name, host, path) => {
    expect(compilePublicUrl("https://{port}-{name}.tun.example.com").match(host, path)).toBeUndefined();
  });

  it.each([
    ["/t/web", "/t/web"],
    ["/t/web/", "/t/web"],
    ["/t/web/a/b", "/t/web"],
    ["/t/web-2/a", "/t/web-2"],
    ["/t/", undefined],
    ["/t/web%2f", undefined],
    ["/tt/web", undefined],
  ])("a public URL pattern by path takes %s for the prefix %s", (path, prefix) => {
    expect(compilePublicUrl("https://r.example.com/t/{name}/").match("r.example.com", path)?.prefix).toBe(prefix);
  });

  it.each([
    ["ftp://{name}.example.com", "no http or https URL"],
    ["https://{nme}.example.com", "{nme} is no placeholder"],
    ["https://example.com/", "nothing in it names a binding"],
    ["https://{}.example.com", "{} is no placeholder"],
  ])("a public URL pattern %s is refused: %s", (text, reason) => {
    expect(() => compilePublicUrl(text)).toThrow(reason);
  });
});

it("names of bindings are labels of a host, and none that mislead", () => {
  const accepted = ["web", "a", "0", "a-b"].map(isBindableName);
  const refused = ["www", "api", "localhost", "_dmarc", "-a", "a-", "A", "a.b", "", "x".repeat(64)].map(isBindableName);

  expect([accepted, refused]).toEqual([Array(4).fill(true), Array(10).fill(false)]);
});

it("several patterns are separated by commas", () => {
  expect(splitPatterns(" https://{name}.a , ,http://b:{port}/ ")).toEqual(["https://{name}.a", "http://b:{port}/"]);
});
