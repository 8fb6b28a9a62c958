import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findParty } from "./parties";
import { freePort } from "../../support/freePort";
import { startServerProgram, tempFolder } from "./programs";

/** nginx as people put it in front of a relay: every name of a domain, with upgrades. */
export const startNginx = (relayPort: number, listenPort?: number) =>
  startNginxWith(
    (port) => `
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream relay { server 127.0.0.1:${relayPort}; keepalive 8; }
  server {
    listen 127.0.0.1:${port};
    server_name *.tun.localhost 127.0.0.1;
    client_max_body_size 0;
    location / {
      proxy_pass http://relay;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto https;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_read_timeout 60s;
    }
  }`,
    listenPort,
  );

/** What differs between sites that pass requests on. */
export interface PlainSite {
  /** What nginx speaks to the server. */
  readonly version: "1.0" | "1.1";
  /** Default: the buffers that it has by default, both ways. */
  readonly isUnbuffered?: boolean | undefined;
  /** Where it listens. Default: a free port. */
  readonly port?: number | undefined;
}

/** nginx before one server. */
export const startPlainNginx = (serverPort: number, { version, isUnbuffered = false, port }: PlainSite) =>
  startNginxWith(
    (listenPort) => `
  server {
    listen 127.0.0.1:${listenPort};
    location / {
      proxy_pass http://127.0.0.1:${serverPort};
      proxy_http_version ${version};
${isUnbuffered ? "      proxy_buffering off;\n      proxy_request_buffering off;" : ""}
    }
  }`,
    port,
  );

async function startNginxWith(site: (port: number) => string, listenPort?: number) {
  const folder = await tempFolder();
  const port = listenPort ?? (await freePort());
  const kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await mkdir(join(folder.path, "logs"));
  const config = `
daemon off;
master_process off;
pid ${folder.path}/nginx.pid;
error_log ${folder.path}/logs/error.log;
events { worker_connections 512; }
http {
  access_log off;
${kept.map((name) => `  ${name}_temp_path ${folder.path}/${name};`).join("\n")}
${site(port)}
}`;
  const file = join(folder.path, "nginx.conf");
  await writeFile(file, config);
  const args = ["-e", `${folder.path}/logs/error.log`, "-p", folder.path, "-c", file];
  const program = await startServerProgram(findParty("nginx"), args, port);
  return {
    port,
    /** Ends at once, as if its machine were gone. */
    kill: (): void => void program.child.kill("SIGKILL"),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
