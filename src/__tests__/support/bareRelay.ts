import { createServer, request, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { resolveRelayConfig } from "../../node/relay/config";
import { httpTarget } from "../../node/relay/driver/httpTarget";
import { TunnelSession, type BindRequest, type TunnelSessionOptions } from "../../node/relay/driver/tunnelSession";
import { Relay, type RelayGuard } from "../../node/relay/relay";
import type { TunnelRelayConfig } from "../../node/relay/tunnelRelayConfig";
import { soon } from "./soon";

/** A relay without a run; by default the token of a driver is its name. */
export async function startRelay(config: Partial<TunnelRelayConfig> = {}, admit: RelayGuard["admit"] = byToken) {
  const relay = new Relay(resolveRelayConfig({ listen: { port: 0 }, portRange: [21_000, 29_999], ...config }), {
    admit,
  });
  await relay.start();
  const url = `http://127.0.0.1:${relay.port}`;
  return {
    relay,
    url,
    /** Asks the control plane. */
    async operate(path: string, method = "GET") {
      const response = await fetch(`${url}/api/v1/tunnel${path}`, { method, headers: { "x-runner-token": "op" } });
      return (await response.json()) as unknown;
    },
    [Symbol.asyncDispose]: () => relay.close(),
  };
}

const byToken: RelayGuard["admit"] = async ({ headers }) => {
  const token = headers["x-runner-token"];
  return typeof token === "string" ? { principal: token } : { status: 401, code: "UNAUTHORIZED" };
};

/** A service of this machine. */
export async function startService(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const expose = (port: number, fields: Partial<BindRequest> = {}): BindRequest => ({
  kind: "http",
  mode: "expose",
  containerPort: 0,
  target: httpTarget({ host: "127.0.0.1", port, connectTimeoutMs: 2_000 }),
  ...fields,
});

/** A session that is connected. */
export async function driver(relay: string, token = "anna", options: Partial<TunnelSessionOptions> = {}) {
  const session = new TunnelSession({ relay, token, ...options });
  await soon(session.ready());
  return session;
}

/** One request over a connection of its own. */
export function visit(port: number, path = "/", headers: Readonly<Record<string, string>> = {}, method = "GET") {
  return new Promise<{ message: IncomingMessage; text: string }>((resolve, reject) => {
    const req = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (message) => {
      let text = "";
      message.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      message.on("end", () => resolve({ message, text }));
      message.on("error", reject);
    });
    req.on("error", reject);
    req.end();
  });
}
