// Who visits: connections over TCP that load a tunnel, and what they saw.
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import { openLoad, requestBytes } from "../lib/httpLoad.mjs";
import { median } from "../lib/stats.mjs";

const piece = Buffer.alloc(64 * 1024, "0123456789abcdef");

async function open(port) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

/** One stream of so many bytes, in one direction. */
async function cross(port, direction, bytes) {
  const socket = await open(port);
  let arrived = 0;
  socket.on("data", (chunk) => (arrived += chunk.length));
  const ended = once(socket, "end");
  socket.write(`${direction} ${bytes}\n`);
  for (let left = direction === "up" ? bytes : 0; left > 0; left -= piece.length) {
    if (!socket.write(left >= piece.length ? piece : piece.subarray(0, left))) await once(socket, "drain");
  }
  await ended;
  const expected = direction === "up" ? 5 : bytes;
  if (arrived !== expected) throw new Error(`${direction}: ${arrived} of ${expected} bytes arrived.`);
  socket.destroy();
}

/** Connections that stay open between the rounds. */
const loads = new Map();
const idle = [];
const echoes = new Map();

async function bulk(port, direction, streams, bytes) {
  const started = performance.now();
  await Promise.all(Array.from({ length: streams }, () => cross(port, direction, bytes / streams)));
  return (performance.now() - started) / 1000;
}

async function http(port, host, connections, times) {
  if (!loads.has(port)) loads.set(port, await openLoad(port, connections));
  const started = performance.now();
  const reply = await loads.get(port).send(requestBytes({ method: "GET", path: "/", headers: { host } }), times);
  if (!/^HTTP\/1\.1 200/.test(reply)) throw new Error(`The answer is ${reply.slice(0, 300)}`);
  return (performance.now() - started) / 1000;
}

/** The median of the time there and back of 64 bytes, in microseconds. */
async function echo(port, times) {
  if (!echoes.has(port)) {
    const socket = await open(port);
    socket.write("echo\n");
    echoes.set(port, socket);
  }
  const socket = echoes.get(port);
  const message = Buffer.alloc(64, "x");
  const taken = [];
  for (let round = 0; round < times; round++) {
    const started = performance.now();
    socket.write(message);
    for (let left = message.length; left > 0;) left -= (await once(socket, "data"))[0].length;
    taken.push((performance.now() - started) * 1000);
  }
  return median(taken);
}

/** Opens so many connections that have said one word and wait. */
async function openIdle(port, count) {
  for (let opened = 0; opened < count; opened += 50) {
    const sockets = await Promise.all(Array.from({ length: Math.min(50, count - opened) }, () => open(port)));
    await Promise.all(
      sockets.map((socket) => {
        socket.write("echo\nx");
        return once(socket, "data");
      }),
    );
    idle.push(...sockets);
  }
  return idle.length;
}

/** Every one of them still carries bytes. */
async function askIdle() {
  await Promise.all(
    idle.map((socket) => {
      socket.write("y");
      return once(socket, "data");
    }),
  );
}

const closeIdle = () => idle.splice(0).forEach((socket) => socket.destroy());

export const start = () => ({ bulk, http, echo, openIdle, askIdle, closeIdle });
