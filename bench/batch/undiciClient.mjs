import { Pool } from "undici";
import { token } from "../exposure/payload.mjs";
import { measureClient } from "../client/callLoop.mjs";

/** The same calls by hand, one request for each. */
export function start({ port }) {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 128 });
  return measureClient(async () => {
    const { body } = await pool.request({
      path: "/__runner/task/app.tasks.add",
      method: "POST",
      headers: { "content-type": "application/json", "x-runner-token": token },
      body: JSON.stringify({ input: { a: 1, b: 2 } }),
    });
    const { result } = await body.json();
    return result;
  });
}
