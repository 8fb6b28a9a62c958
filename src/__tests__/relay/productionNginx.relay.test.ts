import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tunnelServe } from "../../node";
import { localhostCertificate } from "../support/certificate";
import { startRelay } from "../support/relay/relay";
import { root } from "../support/root";
import { findParty } from "./support/parties";
import { freePort } from "../support/freePort";
import { curl, startServerProgram, tempFolder } from "./support/programs";

const page = readFileSync(join(root, "readmes/relay/PRODUCTION.md"), "utf8");
const [, stated = ""] = /^```nginx\n([^]*?)\n```$/m.exec(page) ?? [];

/** nginx with the configuration of the page: only ports and the files of the certificate are others. */
async function startStatedNginx(relayPort: number) {
  const folder = await tempFolder();
  const at = (name: string): string => join(folder.path, name);
  const port = await freePort();
  const site = stated
    .replace("127.0.0.1:4040", `127.0.0.1:${relayPort}`)
    .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replaceAll("/etc/ssl/tun/", `${folder.path}/`);
  const kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${at(name)};`);
  await mkdir(at("logs"));
  await writeFile(at("fullchain.pem"), localhostCertificate.cert);
  await writeFile(at("privkey.pem"), localhostCertificate.key);
  await writeFile(
    at("nginx.conf"),
    `daemon off; master_process off; pid ${at("nginx.pid")}; error_log ${at("logs/error.log")};
events { worker_connections 512; }
http { access_log off; ${kept.join(" ")}
${site}
}`,
  );
  const args = ["-e", at("logs/error.log"), "-p", folder.path, "-c", at("nginx.conf")];
  const program = await startServerProgram(findParty("nginx"), args, port);
  return {
    port,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

it("nginx as the page on relays in production has it leads to bindings by name, and to the relay itself", async () => {
  await using relay = await startRelay({
    publicUrlPattern: "https://{name}.tun.example.com",
    hosts: ["relay.example.com"],
    trustedProxies: ["127.0.0.1"],
  });
  await using nginx = await startStatedNginx(relay.relay.port);
  await using shop = await tunnelServe({
    ...relay.driver,
    name: "shop",
    server: (req, res) => res.end(`${req.headers["x-forwarded-proto"]} ${req.headers["x-forwarded-host"]}`),
  });
  const visit = (host: string, path: string): Promise<string> =>
    curl("--insecure", "--connect-to", `${host}:443:127.0.0.1:${nginx.port}`, `https://${host}${path}`);

  expect(shop.publicUrl).toBe("https://shop.tun.example.com");
  expect(await visit("shop.tun.example.com", "/")).toBe("https shop.tun.example.com");
  expect(JSON.parse(await visit("relay.example.com", "/api/v1/tunnel/health"))).toMatchObject({ status: "ok" });
});
