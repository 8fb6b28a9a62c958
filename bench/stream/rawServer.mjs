import { createServer } from "node:http";
import { pipeline } from "node:stream";
import { listen } from "../lib/listen.mjs";
import { count, source } from "./bytes.mjs";

const ignore = () => {};

export async function start() {
  const server = createServer(async (req, res) => {
    const { pathname, searchParams } = new URL(req.url, "http://localhost");
    if (pathname === "/up") res.end(String(await count(req)));
    else if (pathname === "/down") pipeline(source(Number(searchParams.get("bytes"))), res, ignore);
    else pipeline(req, res, ignore);
  });
  return { port: await listen(server) };
}
