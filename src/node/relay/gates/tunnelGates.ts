import type { BuiltinTunnelGate } from "./gateContract";
import type { IpGateConfig } from "./ip";
import type { JwtGateConfig } from "./jwt";
import type { PasswordGateConfig } from "./password";
import type { TokenGateConfig } from "./token";

/** A gate of the framework, before its config is given. */
export interface TunnelGateMaker<Config> {
  with(config: Config): BuiltinTunnelGate;
}

const gate = <Config>(name: BuiltinTunnelGate["gate"]): TunnelGateMaker<Config> => ({
  with: (config) => Object.freeze({ kind: "tunnelGate", gate: name, config }),
});

/** The gates that come with the framework, for `gates` of `tunnelRelay`. */
export const tunnelGates = /* @__PURE__ */ (() => ({
  /** A password, on a page that remembers it in a cookie. */
  password: gate<PasswordGateConfig>("password"),
  /** A token, in a header or the query. */
  token: gate<TokenGateConfig>("token"),
  /** A JSON Web Token; needs the package `jose`. */
  jwt: gate<JwtGateConfig>("jwt"),
  /** Addresses and ranges of addresses. */
  ip: gate<IpGateConfig>("ip"),
}))();
