import type { Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { portOf, urlOf } from "./serverAddress";

const listening = (address: string, family: string, server: object = {}) =>
  Object.assign(server, { address: () => ({ address, family, port: 7070 }) }) as Server;

it.each([
  ["127.0.0.1", "IPv4", "http://127.0.0.1:7070/rpc"],
  ["0.0.0.0", "IPv4", "http://127.0.0.1:7070/rpc"],
  ["::", "IPv6", "http://[::1]:7070/rpc"],
  ["fe80::1", "IPv6", "http://[fe80::1]:7070/rpc"],
])("the URL of a server at %s (%s) is %s", (address, family, url) => {
  expect(urlOf(listening(address, family), "/rpc")).toBe(url);
});

it("the URL of a server with TLS says so, and that of a base path of / has no slash at its end", () => {
  expect(urlOf(listening("127.0.0.1", "IPv4", createTlsServer()), "/")).toBe("https://127.0.0.1:7070");
});

it.each([
  ["none", null],
  ["one that does not listen", { address: () => null }],
  ["one on a pipe", { address: () => "/tmp/socket" }],
  ["one that cannot say", {}],
])("of %s there is no port, and the path alone for a URL", (_which, server) => {
  expect([portOf(server as Server | null), urlOf(server as Server | null, "/rpc")]).toEqual([0, "/rpc"]);
});
