import { Pool } from "undici";
import { measureStreams } from "./measureStreams.mjs";

export function start({ port }) {
  const pool = new Pool(`http://127.0.0.1:${port}`);
  return measureStreams(async function* (kind, count) {
    const { body } = await pool.request({ method: "POST", path: `/${kind}/${count}` });
    body.setEncoding("utf8");
    let rest = "";
    for await (const chunk of body) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      for (const line of lines) yield JSON.parse(line);
    }
  });
}
