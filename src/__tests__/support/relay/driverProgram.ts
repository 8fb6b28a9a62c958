/** A driver and its endless service in a process of their own. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tunnelExpose } from "../../../node/index";
import { answerQuestions } from "../memory/program";

/** What a test can ask. */
export interface DriverAnswers {
  /** Publishes through a relay. @returns the port at the relay */
  publish(relay: string): Promise<number>;
  /** Bytes of endless responses that were given away so far. */
  produced(): number;
}

let produced = 0;
const piece = Buffer.alloc(64 * 1024, "endless");

function write(res: ServerResponse): void {
  while (!res.destroyed) {
    produced += piece.length;
    if (!res.write(piece)) return void res.once("drain", () => write(res));
  }
}

answerQuestions({
  async publish(relay) {
    const service = createServer((req, res) => (req.url === "/endless" ? write(res) : res.end("ok")));
    await once(service.listen(0, "127.0.0.1"), "listening");
    const { port } = service.address() as AddressInfo;
    const handle = await tunnelExpose({ relay: relay as string, token: "relay-secret", port });
    return handle.containerPort;
  },
  produced: () => produced,
});
