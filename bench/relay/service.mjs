// What is reached through tunnels: a small HTTP answer, and bytes over TCP as the first line of a connection asks.
import { Buffer } from "node:buffer";
import { createServer as createHttpServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { listen } from "../lib/listen.mjs";

const piece = Buffer.alloc(64 * 1024, "0123456789abcdef");

/** A reply of the size that an API gives. */
export function answerSmall(req, res) {
  const body = JSON.stringify({ ok: true, result: 42 });
  res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
}

/** Writes so many bytes at the pace of the socket, and ends it. */
function send(socket, bytes) {
  let left = bytes;
  const more = () => {
    while (left > 0) {
      const size = Math.min(left, piece.length);
      left -= size;
      const isTaken = socket.write(size === piece.length ? piece : piece.subarray(0, size));
      if (!isTaken && left > 0) return;
    }
    socket.end();
  };
  socket.on("drain", () => left > 0 && more());
  more();
}

/** Answers with one line once so many bytes have arrived. */
function take(socket, bytes) {
  let left = bytes;
  const count = (chunk) => {
    left -= chunk.length;
    if (left <= 0) socket.end("done\n");
  };
  socket.on("data", count);
  return count;
}

/** The first line is "down <bytes>", "up <bytes>" or "echo". */
function serve(socket) {
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.once("data", (first) => {
    const lineEnd = first.indexOf(10);
    const [kind, bytes] = first.subarray(0, lineEnd).toString().split(" ");
    const rest = first.subarray(lineEnd + 1);
    if (kind === "down") return send(socket, Number(bytes));
    if (kind === "up") return take(socket, Number(bytes))(rest);
    socket.on("data", (chunk) => socket.write(chunk));
    if (rest.length > 0) socket.write(rest);
    return undefined;
  });
}

export async function start() {
  return {
    httpPort: await listen(createHttpServer(answerSmall)),
    tcpPort: await listen(createTcpServer(serve)),
  };
}
