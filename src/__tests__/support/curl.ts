import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { root } from "./root";

export const hasCurl = (): boolean => spawnSync("curl", ["--version"]).status === 0;

/** The words of a shell command; quotes are the only syntax it may have. */
export const splitCommand = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");

/** Does what curl would do for the options that our documentation uses; prints the body. */
export async function curl(args: readonly string[]): Promise<string> {
  const headers: Record<string, string> = {};
  const parts: string[] = [];
  let url = "";
  let body: string | undefined;
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? "";
    const next = (): string => args[++index] ?? "";
    if (word === "-H") {
      const [, name = "", value = ""] = /^([^:]+): *(.*)$/.exec(next()) ?? [];
      headers[name] = value;
    } else if (word === "-d" || word === "--data-binary") body = next();
    else if (word === "-F") parts.push(partOf(next()));
    else if (!word.startsWith("-s")) url = word;
  }
  if (parts.length > 0) {
    headers["content-type"] = `multipart/form-data; boundary=${boundary}`;
    body = `${parts.join("")}--${boundary}--\r\n`;
  }
  const call = request(url, { method: body === undefined ? "GET" : "POST", headers });
  call.end(body);
  return new Promise((resolve, reject) => {
    call.on("error", reject).on("response", (response) => void text(response).then(resolve, reject));
  });
}

const boundary = "----a-boundary-of-the-tests";

/** `name=text`, or `name=@file`. */
function partOf(field: string): string {
  const [, name = "", value = ""] = /^([^=]+)=([^]*)$/.exec(field) ?? [];
  const file = value.startsWith("@") ? value.slice(1) : undefined;
  const fileName = file === undefined ? "" : `; filename="${basename(file)}"`;
  const content = file === undefined ? value : readFileSync(join(root, file), "utf8");
  return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${fileName}\r\n\r\n${content}\r\n`;
}
