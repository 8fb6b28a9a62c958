// The server of localtunnel's public handshake: the one on npm does not start on the versions of Node that we support.
import { setImmediate } from "node:timers";
import { Agent, createServer as createHttpServer, request } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { listen } from "../lib/listen.mjs";

/** What its public server grants a client. */
const maxConnections = 10;

/** Requests wait for one of the connections that the client keeps open; one of them is used again, the others end. */
class ClientAgent extends Agent {
  #free = [];
  #waiting = [];

  constructor() {
    super({ keepAlive: true, maxFreeSockets: 1 });
  }

  connected(socket) {
    socket.on("error", () => socket.destroy());
    socket.once("close", () => (this.#free = this.#free.filter((free) => free !== socket)));
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(socket);
    else next(null, socket);
  }

  createConnection(_options, done) {
    const socket = this.#free.shift();
    if (socket === undefined) this.#waiting.push(done);
    else setImmediate(done, null, socket);
  }
}

export async function start() {
  const clients = new Map();

  async function admit(res) {
    const id = `client${clients.size}`;
    const agent = new ClientAgent();
    clients.set(id, agent);
    const port = await listen(createTcpServer((socket) => agent.connected(socket)));
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify({ id, port, max_conn_count: maxConnections, url: `http://${id}.localhost` }));
  }

  const server = createHttpServer((req, res) => {
    const agent = clients.get(req.headers.host.split(".")[0]);
    if (agent === undefined) return req.url === "/?new" ? void admit(res) : void res.writeHead(404).end();
    const { url: path, method, headers } = req;
    const forwarded = request({ agent, path, method, headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    forwarded.once("error", () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
    return req.pipe(forwarded);
  });
  return { port: await listen(server) };
}
