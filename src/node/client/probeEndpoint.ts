import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ProbeEndpoint } from "../../tunnels/pool/polls";

/** Asks by GET, over a connection of its own: one that is kept would be a call's. */
export const probeEndpoint: ProbeEndpoint = (url, path, signal) =>
  new Promise((resolve, reject) => {
    const asked = new URL(path, url);
    const request = (asked.protocol === "https:" ? httpsRequest : httpRequest)(asked, { agent: false, signal });
    request.once("response", (response) => {
      resolve(response.statusCode ?? 0);
      response.on("error", () => {});
      response.destroy();
    });
    request.once("error", reject);
    request.end();
  });
