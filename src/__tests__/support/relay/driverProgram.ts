/** A driver and its service in a process of their own. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { tunnelExpose } from "../../../node/index";
import { answerQuestions, readCollectedMemory, type CollectedMemory } from "../memory/program";

/** What a test can ask. */
export interface DriverAnswers {
  /** Publishes through a relay. @returns the port at the relay */
  publish(relay: string): Promise<number>;
  /** Bytes of endless responses that were given away so far. */
  produced(): number;
  memory(): CollectedMemory;
}

let produced = 0;
const piece = Buffer.alloc(64 * 1024, "endless");

function write(res: ServerResponse): void {
  while (!res.destroyed) {
    produced += piece.length;
    if (!res.write(piece)) return void res.once("drain", () => write(res));
  }
}

function serve(req: IncomingMessage, res: ServerResponse): void {
  if (req.url === "/endless") write(res);
  else if (req.url === "/echo") req.pipe(res);
  // A body that is never read, and never answered.
  else if (req.url !== "/unread") res.end("ok");
}

answerQuestions({
  async publish(relay) {
    const service = createServer(serve);
    service.on("upgrade", (_req, socket: Duplex) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
      socket.on("error", () => {}).pipe(socket);
    });
    await once(service.listen(0, "127.0.0.1"), "listening");
    const { port } = service.address() as AddressInfo;
    const handle = await tunnelExpose({ relay: relay as string, token: "relay-secret", port });
    return handle.containerPort;
  },
  produced: () => produced,
  memory: readCollectedMemory,
});
