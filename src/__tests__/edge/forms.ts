/** Forms as bytes, for callers that need no browser. */

export interface FormPart {
  readonly name: string;
  readonly filename?: string;
  readonly type?: string;
  readonly content: string | Uint8Array;
}

export const boundary = "edge-boundary";
export const formHeaders = { "content-type": `multipart/form-data; boundary=${boundary}` };

/** A form's bytes, parts in the order given. */
export function formOf(...parts: readonly FormPart[]): Uint8Array<ArrayBuffer> {
  const pieces = parts.flatMap(({ name, filename, type, content }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? "" : `; filename="${filename}"`}\r\n`,
    type === undefined ? "\r\n" : `Content-Type: ${type}\r\n\r\n`,
    content,
    "\r\n",
  ]);
  const encoder = new TextEncoder();
  const bytes = [...pieces, `--${boundary}--\r\n`].map((piece) =>
    typeof piece === "string" ? encoder.encode(piece) : piece,
  );
  const joined = new Uint8Array(bytes.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of bytes) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

export const sentinel = (id: string) => ({ $runnerFile: "File" as const, id, meta: { name: `${id}.bin` } });
export const manifestPart = (input: unknown): FormPart => ({ name: "__manifest", content: JSON.stringify({ input }) });
export const filePart = (id: string, content: string | Uint8Array): FormPart => ({
  name: `file:${id}`,
  filename: `${id}.bin`,
  content,
});
