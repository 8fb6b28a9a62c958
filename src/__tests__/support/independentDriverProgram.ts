import { runIndependentDriver, type SocketLike } from "./independentDriver";

/** A program of the driver with the WebSocket that Node has by itself: reports are messages to its parent. */
const [url = "", token = ""] = process.argv.slice(2);

type Constructor = new (url: string, options: object) => SocketLike;
const { WebSocket } = globalThis as unknown as { readonly WebSocket: Constructor };

const options = { protocols: ["hoody-tunnel.v2", "hoody-tunnel.v1"], headers: { "x-runner-token": token } };
const leave = new Promise<void>((resolve) => process.once("message", () => resolve()));

void runIndependentDriver(
  () => new WebSocket(url, options),
  (event, facts) => void process.send?.({ event, facts }),
  leave,
).then(() => process.disconnect());
