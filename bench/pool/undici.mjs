import * as undici from "undici";
import { measureClient } from "../client/callLoop.mjs";

/** A pool of undici: one address, or several. */
export function start({ ports, kind }) {
  const origins = ports.map((port) => `http://127.0.0.1:${port}`);
  const options = { connections: 128 };
  const pool = kind === "Pool" ? new undici.Pool(origins[0], options) : new undici[kind](origins, options);
  return measureClient(async () => {
    const { body } = await pool.request({
      path: "/__runner/task/app.tasks.add",
      method: "POST",
      headers: { "content-type": "application/json", "x-runner-token": "dev-secret" },
      body: JSON.stringify({ input: { a: 1, b: 2 } }),
    });
    const { result } = await body.json();
    return result;
  });
}
