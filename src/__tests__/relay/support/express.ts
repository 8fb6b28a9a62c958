import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import busboy from "busboy";
import express from "express";
import { WebSocketServer } from "ws";
import { startService } from "../../support/relay/relay";

/** An application as people write them, which knows nothing of tunnels: JSON, uploads, events, WebSockets. */
export async function startExpressApp() {
  const app = express();
  const visitors = new Set<express.Response>();
  app.get("/whoami", (req, res) => {
    res.json({
      ip: req.get("x-forwarded-for"),
      host: req.get("x-forwarded-host"),
      proto: req.get("x-forwarded-proto"),
    });
  });
  app.post("/json", express.json(), (req, res) => void res.status(201).json({ received: req.body as unknown }));
  app.put("/raw", async (req, res) => {
    const hash = createHash("sha256");
    for await (const piece of req as AsyncIterable<Buffer>) hash.update(piece);
    res.json({ sha256: hash.digest("hex") });
  });
  app.post("/form", async (req, res) => {
    const files: Record<string, string> = {};
    const form = busboy({ headers: req.headers });
    form.on("file", (name, file) => {
      const hash = createHash("sha256");
      file.on("data", (piece: Buffer) => hash.update(piece));
      file.on("end", () => (files[name] = hash.digest("hex")));
    });
    await once(req.pipe(form), "close");
    res.json(files);
  });
  app.get("/bytes/:count", (req, res) => void res.send(Buffer.alloc(Number(req.params.count), "bytes")));
  app.get("/old", (_req, res) => void res.redirect("/json-page"));
  app.get("/json-page", (_req, res) => void res.json({ page: true }));
  app.get("/events", (req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" }).flushHeaders();
    visitors.add(res);
    req.on("close", () => visitors.delete(res));
    res.write("event: hello\ndata: 0\n\n");
  });
  app.post("/events", (_req, res) => {
    for (const visitor of visitors) visitor.write("data: news\n\n");
    res.json({ visitors: visitors.size });
  });
  const server = createServer(app);
  const sockets = new WebSocketServer({ server, path: "/echo" });
  sockets.on("connection", (socket) =>
    socket.on("message", (data: Buffer, isBinary) => socket.send(data, { binary: isBinary })),
  );
  return startService(server);
}
