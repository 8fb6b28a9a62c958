/** A driver of reverse tunnels: exposes and pulls services of another process, and serves a listener of its own. */
import { tunnelExpose, tunnelPull, TunnelSession, tunnelServe } from "@bluelibs/runner/node";

interface Places {
  readonly relay: string;
  readonly token: string;
  readonly httpPort: number;
  readonly tcpPort: number;
}

async function drive({ relay, token, httpPort, tcpPort }: Places): Promise<void> {
  const session = new TunnelSession({ relay, token });
  await session.ready().catch((error: { name: string; status?: number }) => {
    console.log(`refused ${error.name} ${error.status}`);
    throw error;
  });
  session.on("resumed", ({ resumed }) => console.log(`resumed ${resumed}`));
  const shared = { relay, token, session };
  const exposed = await tunnelExpose({ ...shared, port: httpPort });
  const pulled = await tunnelPull({ ...shared, containerPort: 0, localPort: tcpPort });
  const served = await tunnelServe({
    ...shared,
    server: (req, res) => {
      res.writeHead(200, { "x-method": req.method ?? "" });
      req.pipe(res);
    },
  });
  process.once("SIGTERM", () => {
    void session.close().then(() => console.log("closed"));
  });
  const ports = [exposed, pulled, served].map(({ containerPort }) => containerPort);
  console.log(`bound ${JSON.stringify(ports)}`);
}

drive(JSON.parse(process.argv[2] ?? "{}") as Places).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
