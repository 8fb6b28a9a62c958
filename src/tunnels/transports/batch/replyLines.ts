import { chunksOf } from "../../protocol/chunksOf";
import { LineReader } from "../../protocol/lineReader";
import type { ReplyBody } from "../../protocol/wire";

/** The reply to one call of a batch. */
export interface LineReply {
  readonly n: number;
  readonly status: number;
  /** Its envelope. */
  readonly text: string;
}

/** What stands before an envelope: a number, a status and two spaces. */
const prefixBytes = 14;

/** How long the end of a reply may take after its last line, for its connection to be kept, in ms. */
const restMs = 1000;

/**
 * Reads the lines of a reply to a batch as they come.
 *
 * @param limitBytes of the reply to one call
 * @param answer takes each, and returns whether more are expected
 * @throws {Error} (as a rejection) a line makes no sense or is too long, or the connection broke
 */
export async function readReplyLines(
  body: ReplyBody,
  limitBytes: number,
  answer: (reply: LineReply) => boolean,
): Promise<void> {
  if (body.kind === "text") for (const line of body.text.split("\n")) if (line !== "") answer(readLine(line));
  if (body.kind !== "stream") return;
  const tooLong = (): Error =>
    new RangeError(`A reply takes more than ${limitBytes} bytes; the limit is maxReplyBytes.`);
  const lines = new LineReader(limitBytes + prefixBytes, tooLong);
  const chunks = chunksOf(body.stream);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isComplete = false;
  try {
    for (;;) {
      const { done, value } = await chunks.next();
      // Once all is answered nothing is expected but the end.
      if (done === true || isComplete) return;
      for (const line of lines.push(value)) isComplete = !answer(readLine(line));
      if (isComplete) timer = setTimeout(() => void discard(chunks), restMs);
    }
  } catch (error) {
    if (!isComplete) throw error;
  } finally {
    clearTimeout(timer);
    void discard(chunks);
  }
}

/** The first two spaces cut it. */
function readLine(line: string): LineReply {
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  const n = line.slice(0, first);
  const status = line.slice(first + 1, second);
  if (!/^\d{1,9}$/.test(n) || !/^[2-5]\d\d$/.test(status)) throw new Error("A line of the reply makes no sense.");
  return { n: Number(n), status: Number(status), text: line.slice(second + 1) };
}

async function discard(chunks: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await chunks.return?.();
  } catch {
    // It is given up.
  }
}
