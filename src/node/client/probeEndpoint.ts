import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ProbeAnswer, ProbeEndpoint } from "../../tunnels/pool/polls";
import { refusalOf } from "../../tunnels/protocol/refusal";

/** Asks by GET, over a connection of its own: one that is kept would be a call's. */
export const probeEndpoint: ProbeEndpoint = (url, path, signal) =>
  new Promise((resolve, reject) => {
    // Resolved against the address, a path that begins with two slashes would name another host.
    const asked = new URL(new URL(url).origin + path);
    const request = (asked.protocol === "https:" ? httpsRequest : httpRequest)(asked, { agent: false, signal });
    request.once("response", (response) => {
      const { statusCode: status = 0 } = response;
      let text = "";
      const end = (): void => {
        resolve(answerOf(status, text));
        response.destroy();
      };
      response.setEncoding("utf8");
      response.on("error", end);
      response.once("close", end);
      response.once("end", end);
      response.on("data", (piece: string) => {
        text += piece;
        if (status < 400 || text.length > longestAnswer) end();
      });
    });
    request.once("error", reject);
    request.end();
  });

const answerOf = (status: number, text: string): ProbeAnswer => ({
  status,
  code: refusalOf({ status, body: { kind: "text", text } })?.code,
});

/** In characters; a refusal is shorter. */
const longestAnswer = 16_384;
