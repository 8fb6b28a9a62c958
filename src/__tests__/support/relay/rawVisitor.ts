import { connect } from "node:net";
import { soon } from "../soon";

/** Sends bytes as they are over one connection. @returns all that came back until the relay closed it */
export const sendRaw = (port: number, ...pieces: readonly string[]): Promise<string> =>
  soon(
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      let received = "";
      socket.setEncoding("latin1").on("data", (text: string) => (received += text));
      socket.on("close", () => resolve(received));
      socket.on("error", reject);
      for (const piece of pieces) socket.write(piece, "latin1");
    }),
  );

/** The lines of a request's head. */
export const head = (...lines: readonly string[]): string => `${lines.join("\r\n")}\r\n\r\n`;
