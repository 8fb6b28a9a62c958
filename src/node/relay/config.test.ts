import { thrownBy } from "../../__tests__/support/failures";
import { resolveRelayConfig } from "./config";
import { tunnelRelay } from "./tunnelRelay";
import type { TunnelRelayConfig } from "./tunnelRelayConfig";

const listen = { port: 0 };

it.each<[string, unknown]>([
  ["config must be an object", "4040"],
  ["listen must be an object", { listen: 4040 }],
  ["listen.host must be a non-empty string", { listen: { port: 0, host: "" } }],
  ["listen.host must be a non-empty string", { listen: { port: 0, host: 5 } }],
  ["auth must be an object", { listen, auth: "s3cret" }],
  ["auth.header must be the name of a header", { listen, auth: { header: "x token" } }],
  ["auth.allowAnonymous must be a boolean", { listen, auth: { allowAnonymous: "no" } }],
  ["allowedOrigins must be a list of origins", { listen, allowedOrigins: "https://app.example.com" }],
  ["allowedOrigins must be a list of origins", { listen, allowedOrigins: ["https://app.example.com/"] }],
  ["allowedOrigins must be a list of origins", { listen, allowedOrigins: ["https://app.example.com:443"] }],
  ["allowedOrigins must be a list of origins", { listen, allowedOrigins: ["app.example.com"] }],
  ["allowedOrigins must be a list of origins", { listen, allowedOrigins: ["https://App.example.com"] }],
  ["allowedOrigins must be a list of origins", { listen, allowedOrigins: ["*"] }],
  ["allowedOrigins must be a list of origins", { listen, allowedOrigins: [undefined] }],
  ["trustedProxies must be a list of addresses and ranges", { listen, trustedProxies: "127.0.0.1" }],
  ['trustedProxies has "proxy.local"', { listen, trustedProxies: ["proxy.local"] }],
  ["hosts must be a list of host names", { listen, hosts: "relay.example.com" }],
  ["allowPrivileged must be an object", { listen, allowPrivileged: true }],
  ["allowPrivileged.pull must be a boolean", { listen, allowPrivileged: { pull: "no" } }],
  ["portRange must be two ports", { listen, portRange: 20_000 }],
  ["limits must be an object", { listen, limits: 5 }],
  ["server must be an http.Server", { server: "http" }],
])("a relay's config is refused where it is written: %s", (message, config) => {
  const error = thrownBy(() => tunnelRelay.with(config as TunnelRelayConfig));

  expect(error.message).toContain(message);
});

it.each<[string, string, unknown]>([
  ["config.gate", "config.gates", { listen, gate: [] }],
  ["config.alowedOrigins", "config.allowedOrigins", { listen, alowedOrigins: [] }],
  ["listen.hosts", "listen.host", { listen: { port: 0, hosts: "::1" } }],
  ["auth.tokens", "auth.token", { listen, auth: { tokens: ["s3cret"] } }],
  ["allowPrivileged.expos", "allowPrivileged.expose", { listen, allowPrivileged: { expos: true } }],
  ["limits.maxSession", "limits.maxSessions", { listen, limits: { maxSession: 5 } }],
])(
  "a relay's config with the misspelt field %s is refused, with the field that was meant: %s",
  (field, meant, config) => {
    const error = thrownBy(() => tunnelRelay.with(config as TunnelRelayConfig));

    expect(error.message).toContain(`${field} is not known. Did you mean ${meant}?`);
  },
);

it("a relay takes every field that its config has, and leaves out as well what is given as undefined", () => {
  const config: { readonly [K in keyof Required<TunnelRelayConfig>]: TunnelRelayConfig[K] } = {
    listen: { port: 0, host: undefined },
    tls: undefined,
    server: undefined,
    auth: { token: undefined, header: undefined, allowAnonymous: undefined },
    publicUrlPattern: undefined,
    portRange: undefined,
    allowedOrigins: ["https://app.example.com", "http://[::1]:8080", "chrome-extension://abc", "null"],
    hosts: undefined,
    allowPrivileged: { expose: undefined, pull: undefined },
    trustedProxies: ["10.0.0.0/8"],
    aliases: undefined,
    gates: undefined,
    gatesByName: undefined,
    hooks: undefined,
    hookTimeoutMs: undefined,
    limits: { maxSessions: undefined },
    fdLimit: undefined,
    idleMs: undefined,
    pingMs: undefined,
    deadMs: undefined,
    graceMs: undefined,
    drainMs: undefined,
    responseTimeoutMs: undefined,
  };
  const { listen: resolved, allowedOrigins } = resolveRelayConfig(config);

  expect(resolved).toEqual({ port: 0, host: "127.0.0.1" });
  expect([...allowedOrigins]).toEqual(config.allowedOrigins);
});
