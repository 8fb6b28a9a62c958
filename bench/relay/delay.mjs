// A long way: passes bytes on after a while, in both directions, without limiting how many are under way.
import { connect, createServer } from "node:net";
import { listen } from "../lib/listen.mjs";

/** Beyond this many bytes under way the sender is paused: no bandwidth that is measured here fills it. */
const mostUnderWay = 128 * 1024 * 1024;

function passOn(from, to, delayMs) {
  const underWay = [];
  let bytes = 0;
  let timer;
  const deliver = () => {
    timer = undefined;
    const now = performance.now();
    to.cork();
    while (underWay.length > 0 && underWay[0].dueMs <= now) {
      const { chunk } = underWay.shift();
      if (chunk === null) to.end();
      else {
        bytes -= chunk.length;
        to.write(chunk);
      }
    }
    to.uncork();
    if (bytes < mostUnderWay) from.resume();
    if (underWay.length > 0) timer = setTimeout(deliver, Math.max(1, underWay[0].dueMs - performance.now()));
  };
  const add = (chunk) => {
    underWay.push({ dueMs: performance.now() + delayMs, chunk });
    bytes += chunk?.length ?? 0;
    if (bytes >= mostUnderWay) from.pause();
    timer ??= setTimeout(deliver, delayMs);
  };
  from.on("data", add).on("end", () => add(null));
  from.on("error", () => to.destroy()).on("close", () => !from.readableEnded && to.destroy());
}

export async function start({ port, delayMs }) {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    passOn(near, far, delayMs);
    passOn(far, near, delayMs);
  });
  return { port: await listen(server) };
}
