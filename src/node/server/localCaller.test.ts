import type { IncomingMessage } from "node:http";
import { isLocalCaller } from "./localCaller";

interface Described {
  readonly localAddress?: string | undefined;
  readonly remoteAddress?: string | undefined;
  readonly headers?: Record<string, string>;
  readonly rawHeaders?: string[];
  readonly url?: string;
  readonly version?: readonly [number, number];
}

/** A request of a local program, unless described otherwise. */
function requestOf(described: Described): IncomingMessage {
  const { localAddress = "127.0.0.1", remoteAddress = "127.0.0.1", headers = {}, version = [1, 1] } = described;
  const [httpVersionMajor, httpVersionMinor] = version;
  const all = { host: "localhost", ...headers };
  return {
    socket: { localAddress, remoteAddress },
    headers: all,
    rawHeaders: described.rawHeaders ?? Object.entries(all).flat(),
    url: described.url ?? "/__runner/task/app.add",
    httpVersionMajor,
    httpVersionMinor,
  } as unknown as IncomingMessage;
}

const isLocal = (described: Described, admitted: readonly string[] = []): boolean | Promise<boolean> =>
  isLocalCaller(requestOf(described), (origin) => admitted.includes(origin));

describe("a local caller", () => {
  it.each<[string, string, boolean]>([
    ["127.0.0.1", "127.0.0.1", true],
    ["127.8.8.8", "127.0.0.1", true],
    ["::1", "::1", true],
    ["::ffff:127.0.0.1", "::ffff:127.0.0.1", true],
    ["127.0.0.1", "10.0.0.1", false],
    ["10.0.0.1", "127.0.0.1", false],
    ["::ffff:10.0.0.1", "::1", false],
  ])("a local caller connects to %s from %s: %s", (localAddress, remoteAddress, expected) => {
    expect(isLocal({ localAddress, remoteAddress })).toBe(expected);
  });

  it("a local caller has a socket, which requests that a platform hands to a function have not", () => {
    const { socket: _socket, ...bare } = requestOf({});

    expect(isLocalCaller(bare as IncomingMessage, () => true)).toBe(false);
    expect(isLocalCaller({ ...bare, socket: {} } as IncomingMessage, () => true)).toBe(false);
  });

  it.each<[string, boolean]>([
    ["localhost", true],
    ["LOCALHOST:80", true],
    ["app.localhost:1", true],
    ["a.b-c.localhost", true],
    ["127.0.0.1", true],
    ["127.255.255.254:65535", true],
    ["[::1]", true],
    ["[::1]:8080", true],
    ["", false],
    ["localhost.", false],
    ["localhost:", false],
    ["localhost:99999", false],
    ["localhost:80:80", false],
    ["localhost,evil.test", false],
    ["user@localhost", false],
    ["localhost/evil.test", false],
    [".localhost", false],
    ["evil_localhost", false],
    ["evillocalhost", false],
    ["localhost.evil.test", false],
    ["127.0.0.1.evil.test", false],
    ["127.0.0.256", false],
    ["127.1", false],
    ["0.0.0.0", false],
    ["[::]", false],
    ["::1", false],
    ["evil.test:127", false],
  ])("a local caller names the host %j: %s", (host, expected) => {
    expect(isLocal({ headers: { host } })).toBe(expected);
  });

  it("a local caller names a host, and one only", () => {
    const none = requestOf({});
    delete none.headers.host;

    expect(isLocalCaller(none, () => true)).toBe(false);
    expect(isLocal({ rawHeaders: ["Host", "localhost", "host", "evil.test"] })).toBe(false);
  });

  it.each<[string, boolean]>([
    ["http://localhost:80/__runner/task/app.add", true],
    ["http://evil.test/__runner/task/app.add", false],
    ["HTTP://evil.test", false],
    ["/__runner/task/http://evil.test", true],
  ])("a local caller asks for %s: %s", (url, expected) => {
    expect(isLocal({ url })).toBe(expected);
  });

  it.each<[number, number, boolean]>([
    [1, 0, false],
    [1, 1, true],
    [2, 0, true],
    [0, 9, false],
  ])("a local caller speaks HTTP %s.%s: %s", (major, minor, expected) => {
    expect(isLocal({ version: [major, minor] })).toBe(expected);
  });

  it.each([
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-anything",
    "x-forwarded",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "sec-fetch-site",
    "sec-fetch-dest",
    "sec-fetch-user",
    "sec-fetch-anything",
  ])("a local caller sends no %s", (name) => {
    expect(isLocal({ headers: { [name]: "" } })).toBe(false);
  });

  it("a local caller may be the fetch of Node, which says its mode and nothing else of the kind", () => {
    expect(isLocal({ headers: { "sec-fetch-mode": "cors" } })).toBe(true);
    expect(isLocal({ headers: { "sec-fetch-mode": "cors", "sec-fetch-site": "none" } })).toBe(false);
  });

  it("a local caller sends no origin, unless it is one that was admitted, whose page then says what it fetches for", () => {
    const headers = { origin: "http://a.test", "sec-fetch-site": "cross-site" };

    expect(isLocal({ headers })).toBe(false);
    expect(isLocal({ headers }, ["http://a.test"])).toBe(true);
    expect(isLocal({ headers: { ...headers, via: "1.1 proxy" } }, ["http://a.test"])).toBe(false);
  });
});
