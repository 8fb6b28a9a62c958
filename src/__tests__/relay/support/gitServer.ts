import { spawn } from "node:child_process";
import { startService } from "../../support/relay/relay";
import { findParty } from "./parties";

/** Serves the repositories of a folder over HTTP: git's own CGI program (RFC 3875) behind a small server. */
export const startGitServer = (folder: string) =>
  startService((req, res) => {
    const { pathname, search } = new URL(req.url ?? "/", "http://git");
    const child = spawn(findParty("git"), ["http-backend"], {
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: req.method,
        CONTENT_TYPE: req.headers["content-type"] ?? "",
        HTTP_CONTENT_ENCODING: req.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: String(req.headers["git-protocol"] ?? ""),
      },
    });
    req.pipe(child.stdin);
    child.stdin.on("error", () => {});
    let head = Buffer.alloc(0);
    child.stdout.on("data", (piece: Buffer) => {
      if (res.headersSent) return void res.write(piece);
      head = Buffer.concat([head, piece]);
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) return;
      const fields = String(head.subarray(0, end))
        .split("\r\n")
        .map((line) => line.split(/:\s*/, 2) as [string, string]);
      const { Status: status = "200", ...headers } = Object.fromEntries(fields);
      res.writeHead(Number.parseInt(status, 10), headers).write(head.subarray(end + 4));
    });
    child.on("close", () => res.end());
  });
