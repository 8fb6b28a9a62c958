import { Buffer } from "node:buffer";
import { connect } from "node:net";

/** A server that says nothing for so long is given up. */
const silenceMs = 10_000;

/** The bytes of a request on a connection that stays open. */
export function requestBytes({ method = "POST", path, headers = {}, body = "" }) {
  const lines = Object.entries({
    host: "127.0.0.1",
    "content-type": "application/json",
    ...headers,
    "content-length": Buffer.byteLength(body),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return Buffer.concat([head, typeof body === "string" ? Buffer.from(body) : body]);
}

/** How long the reply at the start of some text is, as far as it is complete; 0 when it is not. Bodies must be ASCII. */
function replyLength(text) {
  const headEnd = text.indexOf("\r\n\r\n") + 4;
  if (headEnd === 3) return 0;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd));
  if (length !== null) {
    const total = headEnd + Number(length[1]);
    return text.length >= total ? total : 0;
  }
  const end = text.indexOf("0\r\n\r\n", headEnd);
  return end === -1 ? 0 : end + 5;
}

/**
 * A load generator that costs next to nothing: connections that stay open, each with one request in flight.
 * Replies are told apart by their length; the first of a `send` is given back for a look.
 */
export async function openLoad(port, connections) {
  const sockets = await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise((resolve, reject) => {
          const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(socket));
          socket.once("error", reject);
        }),
    ),
  );

  /** Sends the same bytes `times` times, over all connections; resolves with the first reply. */
  function send(bytes, times) {
    return new Promise((resolve, reject) => {
      let unsent = times;
      let unanswered = times;
      let first;
      const fail = (error) => reject(error ?? new Error("The server closed a connection."));
      for (const socket of sockets) {
        let text = "";
        socket.removeAllListeners();
        socket.on("error", fail).on("close", () => fail());
        socket.setTimeout(silenceMs, () => unanswered > 0 && fail(new Error(`No reply: ${text.slice(0, 500)}`)));
        socket.on("data", (chunk) => {
          text = text === "" ? chunk.latin1Slice() : text + chunk.latin1Slice();
          const length = replyLength(text);
          if (length === 0) return;
          first ??= text.slice(0, length);
          text = text.slice(length);
          if (--unanswered === 0) resolve(first);
          else if (unsent > 0) {
            unsent--;
            socket.write(bytes);
          }
        });
        if (unsent > 0) {
          unsent--;
          socket.write(bytes);
        }
      }
    });
  }

  return {
    send,
    close() {
      for (const socket of sockets)
        socket
          .removeAllListeners()
          .on("error", () => {})
          .destroy();
    },
  };
}
