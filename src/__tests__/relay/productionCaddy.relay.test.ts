import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tunnelServe } from "../../node";
import { localhostCertificate } from "../support/certificate";
import { startRelay } from "../support/relay/relay";
import { root } from "../support/root";
import { findParty } from "./support/parties";
import { freePort } from "../support/freePort";
import { curl, startServerProgram, tempFolder } from "./support/programs";

const page = readFileSync(join(root, "readmes/relay/PRODUCTION.md"), "utf8");
const [, stated = ""] = /^```caddyfile\n([^]*?)\n```$/m.exec(page) ?? [];

/** Caddy with the configuration of the page: only its port, that of the relay and where certificates come from are others. */
async function startStatedCaddy(relayPort: number) {
  const folder = await tempFolder();
  const at = (name: string): string => join(folder.path, name);
  const port = await freePort();
  const site = stated
    .replace("127.0.0.1:4040", `127.0.0.1:${relayPort}`)
    .replace(/tls \{[^}]*\{[^}]*\}[^}]*\}/, `tls ${at("cert.pem")} ${at("key.pem")}`);
  await writeFile(at("cert.pem"), localhostCertificate.cert);
  await writeFile(at("key.pem"), localhostCertificate.key);
  await writeFile(
    at("Caddyfile"),
    `{
  admin off
  auto_https disable_redirects
  https_port ${port}
  default_bind 127.0.0.1
}
${site}
`,
  );
  const args = ["run", "--config", at("Caddyfile"), "--adapter", "caddyfile"];
  // What it keeps of certificates and configurations.
  const env = { XDG_DATA_HOME: folder.path, XDG_CONFIG_HOME: folder.path };
  const program = await startServerProgram(findParty("caddy"), args, port, env);
  return {
    port,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

it("Caddy as the page on relays in production has it leads to bindings by name, and drivers and operators to the relay", async () => {
  await using relay = await startRelay({
    publicUrlPattern: "https://{name}.tun.example.com",
    hosts: ["relay.example.com"],
    trustedProxies: ["127.0.0.1"],
  });
  await using caddy = await startStatedCaddy(relay.relay.port);
  await using shop = await tunnelServe({
    ...relay.driver,
    name: "shop",
    server: (req, res) => res.end(`${req.headers["x-forwarded-proto"]} ${req.headers["x-forwarded-host"]}`),
  });
  const visit = (host: string, path: string): Promise<string> =>
    curl("--insecure", "--connect-to", `${host}:443:127.0.0.1:${caddy.port}`, `https://${host}${path}`);

  expect(shop.publicUrl).toBe("https://shop.tun.example.com");
  expect(await visit("shop.tun.example.com", "/")).toBe("https shop.tun.example.com");
  expect(JSON.parse(await visit("relay.example.com", "/api/v1/tunnel/health"))).toMatchObject({ status: "ok" });
});
