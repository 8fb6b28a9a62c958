import { Readable } from "node:stream";
import { Pool } from "undici";
import { parsedLines, writtenLines } from "./lines.mjs";
import { measureStreams } from "./measureStreams.mjs";

export function start({ port }) {
  const pool = new Pool(`http://127.0.0.1:${port}`);
  async function* open(kind, count) {
    const { body } = await pool.request({ method: "POST", path: `/${kind}/${count}` });
    yield* parsedLines(body);
  }
  async function send(rows) {
    const { body } = await pool.request({ method: "POST", path: "/count", body: Readable.from(writtenLines(rows)) });
    return body.json();
  }
  return measureStreams(open, send);
}
