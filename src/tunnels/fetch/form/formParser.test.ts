import busboy from "busboy";
import fc from "fast-check";
import { isFilePart } from "./disposition";
import { loadFormParser } from "./formParser";

interface Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly type: string | undefined;
  readonly content: Uint8Array;
}

type Parsed = readonly [name: string | undefined, filename: string | undefined, type: string | undefined, hex: string];

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const boundary = "-x-";
const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;

const bytesOf = (parts: readonly Part[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(({ name, filename, type, content }) => [
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name=${quoted(name)}` +
          `${filename === undefined ? "" : `; filename=${quoted(filename)}`}\r\n` +
          `${type === undefined ? "" : `Content-Type: ${type}\r\n`}\r\n`,
      ),
      content,
      Buffer.from("\r\n"),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);

function byBusboy(form: Buffer): Promise<Parsed[]> {
  return new Promise((resolve, reject) => {
    const parsed: Promise<Parsed>[] = [];
    const headers = { "content-type": `multipart/form-data; boundary=${boundary}` };
    busboy({ headers, defParamCharset: "utf8" })
      .on("field", (name, value) =>
        parsed.push(Promise.resolve([name, undefined, undefined, hexOf(Buffer.from(value))])),
      )
      .on("file", (name, stream, { filename, mimeType }) => {
        const chunks: Buffer[] = [];
        const whole = new Promise<Parsed>((onWhole) =>
          stream
            .on("data", (chunk: Buffer) => chunks.push(chunk))
            .on("end", () => onWhole([name, filename, mimeType, hexOf(Buffer.concat(chunks))])),
        );
        parsed.push(whole);
      })
      .on("close", () => void Promise.all(parsed).then(resolve))
      .on("error", reject)
      .end(form);
  });
}

async function byOurs(pieces: readonly Uint8Array[]): Promise<Parsed[] | "malformed" | "unended"> {
  const create = await loadFormParser();
  const parsed: Parsed[] = [];
  let outcome: "malformed" | "complete" | undefined;
  const parser = create(`multipart/form-data; boundary=${boundary}`, {
    onPart(head) {
      const chunks: Uint8Array[] = [];
      return (piece) => {
        if (piece !== null) chunks.push(piece.slice());
        else if (head !== undefined) {
          const bytes = Buffer.concat(chunks);
          const isFile = isFilePart(head);
          parsed.push([
            head.name,
            isFile ? head.filename : undefined,
            isFile ? head.mimeType : undefined,
            hexOf(isFile ? bytes : Buffer.from(bytes.toString())),
          ]);
        }
      };
    },
    onMalformed: () => void (outcome = "malformed"),
    onComplete: () => void (outcome = "complete"),
  });
  for (const piece of pieces) parser.write(piece);
  if (outcome === undefined) parser.end();
  return outcome === "complete" ? parsed : "malformed";
}

function cut(bytes: Buffer, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const length = lengths[index % lengths.length] as number;
    pieces.push(bytes.subarray(at, (at += length)));
  }
  return pieces;
}

const text = fc
  .string({ unit: "grapheme-composite", minLength: 1, maxLength: 12 })
  .filter((each) => !/\p{Cc}/u.test(each));
/** Much of what looks like a boundary, and is none. */
const content = fc
  .array(fc.constantFrom("\r\n", "\r", "\n", "-", "--", `\r\n--`, `--${boundary}`, "\r\n--x", "a", "é文"), {
    maxLength: 30,
  })
  .map((pieces) => Buffer.from(pieces.join("").replaceAll(`\r\n--${boundary}`, "")))
  .filter((bytes) => !bytes.includes(`--${boundary}`));
const part = fc.record<Part>({
  name: text,
  filename: fc.option(text, { nil: undefined }),
  type: fc.constantFrom(undefined, "text/plain", "application/octet-stream", "image/png; a=b"),
  content,
});

it("a form in pieces of any size has the parts that busboy finds in it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
      async (parts, lengths) => {
        const form = bytesOf(parts);

        expect(await byOurs(cut(form, lengths))).toEqual(await byBusboy(form));
      },
    ),
    { numRuns: 150 },
  );
});

it("a form that breaks off anywhere is malformed", async () => {
  const form = bytesOf([{ name: "a", filename: "b", type: undefined, content: Buffer.from("c\r\n-") }]);
  // Two more characters end it: what follows the last boundary is no part of the form.
  for (let length = 0; length < form.length - 2; length++) {
    expect([length, await byOurs([form.subarray(0, length)])]).toEqual([length, "malformed"]);
  }
});
