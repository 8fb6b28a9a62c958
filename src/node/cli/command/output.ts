import type { WriteStream } from "node:tty";
import { printable, printableText } from "../printable";

/** Where a command prints: lines for people, or one JSON object per line. */
export interface Output {
  readonly isJson: boolean;
  /** A text of several lines; what controls a terminal is escaped. */
  print(text: string): void;
  /** What happened: for programs as an object, for people as a line. */
  event(record: object, line: string): void;
  /** On standard error: what is worth knowing, and no result. */
  note(record: object, line: string): void;
  /** Keeps a line at the end of the terminal up to date. Elsewhere, and with `--json`, it does nothing. @returns what ends it */
  keepStatus(render: () => string): () => void;
}

const redrawMs = 1_000;
const clearLine = "\r\x1b[2K";

export function createOutput(isJson: boolean): Output {
  const { stdout, stderr } = process;
  let drawStatus: (() => void) | undefined;

  /** The status line makes room for a text and follows it. */
  function write(stream: NodeJS.WriteStream, text: string): void {
    if (drawStatus !== undefined) stdout.write(clearLine);
    stream.write(`${printableText(text)}\n`);
    drawStatus?.();
  }

  const report = (stream: NodeJS.WriteStream) => (record: object, line: string) =>
    write(stream, isJson ? JSON.stringify(record) : printable(line));

  return {
    isJson,
    print: (text) => write(stdout, text),
    event: report(stdout),
    note: report(stderr),
    keepStatus(render) {
      if (isJson || !canRedraw(stdout)) return () => {};
      drawStatus = () => {
        // A line that wraps could not be cleared.
        const line = printable(render()).slice(0, Math.max(1, (stdout.columns || 80) - 1));
        stdout.write(clearLine + line);
      };
      drawStatus();
      const timer = setInterval(drawStatus, redrawMs).unref();
      return () => {
        clearInterval(timer);
        if (drawStatus !== undefined) stdout.write(clearLine);
        drawStatus = undefined;
      };
    },
  };
}

const canRedraw = (stream: WriteStream): boolean => stream.isTTY && process.env.TERM !== "dumb";
