import { Agent, request } from "node:http";
import { pipeline } from "node:stream";
import { text } from "node:stream/consumers";
import { count, echo, measureStreams, source } from "./bytes.mjs";

export function start({ port }) {
  const agent = new Agent({ keepAlive: true });
  const send = (path, body) =>
    new Promise((resolve, reject) => {
      const req = request({ host: "127.0.0.1", port, path, method: "POST", agent }, resolve).on("error", reject);
      if (body === undefined) req.end();
      else pipeline(body, req, (error) => error && reject(error));
    });
  return measureStreams({
    up: async (bytes) => Number(await text(await send("/up", source(bytes)))),
    down: async (bytes) => count(await send(`/down?bytes=${bytes}`)),
    echo: (bytes) => echo(bytes, (body) => send("/echo", body)),
  });
}
