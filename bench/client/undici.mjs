import { Pool } from "undici";
import { measureClient } from "./callLoop.mjs";

export function start({ port }) {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 128 });
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
