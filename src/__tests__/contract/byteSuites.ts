import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { ReadableStream } from "node:stream/web";
import { createFile } from "../../platform/createFile";
import { createNodeFile } from "../../node";
import { rejectionOf } from "../support/failures";
import { describeRows, openCarrier, type CarrierRow, type FileKind, type OpenCarrier } from "./carriers";
import { linesOf, sha256Of, type StoredFile } from "./contractApp";

const makeFile: Record<FileKind, (name: string, bytes: Buffer) => object> = {
  blob: (name, bytes) =>
    createFile({ name, type: "text/x-own" }, new Blob([new Uint8Array(bytes)], { type: "text/x-own" }), name),
  buffer: (name, bytes) => createNodeFile({ name, type: "text/x-own" }, { buffer: bytes }, name),
  stream: (name, bytes) =>
    createNodeFile({ name, type: "text/x-own" }, { stream: Readable.from(piecesOf(bytes)) }, name),
  webStream: (name, bytes) =>
    createNodeFile({ name, type: "text/x-own" }, { stream: ReadableStream.from(piecesOf(bytes)) }, name),
};

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += 10_000) yield bytes.subarray(start, start + 10_000);
}

const described = (name: string, bytes: Buffer): StoredFile => ({
  name,
  type: "text/x-own",
  bytes: bytes.length,
  sha256: sha256Of(bytes),
});

type Stored = { readonly stored: readonly StoredFile[]; readonly when: unknown };

/** What carriers keep of files, streamed replies and raw bytes, as far as they carry them. */
export function describeBytes(carriers: readonly CarrierRow[]): void {
  const uploads = carriers.flatMap((row) =>
    row.can.files.map((kind) => ({ name: `${row.name}, from a ${kind}`, row, kind })),
  );
  describeRows("files", uploads, ({ row, kind }) => {
    let carrier: OpenCarrier;
    beforeAll(async () => void (carrier = await openCarrier(row)));
    afterAll(() => carrier[Symbol.asyncDispose]());

    it.each([0, 1, 1024, 300_000])("arrive whole: %i bytes", async (size) => {
      const bytes = randomBytes(size);

      const { stored } = await carrier.call<Stored>("store", { files: [makeFile[kind]("the file", bytes)] });

      expect(stored).toEqual([described("the file", bytes)]);
    });

    it("arrive in any number, read one after another, beside values that stay what they are", async () => {
      const contents = ["first", "second", "third"].map((name): [string, Buffer] => [name, randomBytes(70_000)]);
      const when = new Map([["now", new Date(5)]]);

      const files = contents.map(([name, bytes]) => makeFile[kind](name, bytes));
      const result = await carrier.call<Stored>("store", { files, when });

      expect(result).toEqual({ stored: contents.map(([name, bytes]) => described(name, bytes)), when });
    });

    it("may be left unread", async () => {
      const file = makeFile[kind]("unread", randomBytes(300_000));

      expect(await carrier.call("echo", { value: "done", file })).toBe("done");
    });

    it("go by one id each", async () => {
      const files = ["a", "b"].map((name) => ({ ...makeFile[kind](name, Buffer.from(name)), id: "same" }));

      const error = await rejectionOf(carrier.call("store", { files }));

      expect(error.message).toMatch(/^Two files of one call share the id "same"\. Give each file its own id\.\n/);
    });
  });

  describeRows(
    "streamed replies",
    carriers.filter(({ can }) => can.streamedReplies),
    (row) => {
      let carrier: OpenCarrier;
      beforeAll(async () => void (carrier = await openCarrier(row)));
      afterAll(() => carrier[Symbol.asyncDispose]());

      it.each([0, 1, 400])("arrive whole: %i lines", async (count) => {
        const reply = await carrier.call<Readable>("lines", { count });

        expect(await text(reply)).toBe([...linesOf(count)].join(""));
      });

      it("may come with a head of their own", async () => {
        expect(await text(await carrier.call<Readable>("page", { count: 2 }))).toBe([...linesOf(2)].join(""));
      });

      it("fail their caller when they break off, at the latest while it reads", async () => {
        const reading = carrier.call<Readable>("broken", {}).then(buffer);

        expect(await rejectionOf(reading)).toHaveProperty("message");
        expect(await carrier.call("echo", { value: "next" })).toBe("next");
      });

      it("need not be read to the end", async () => {
        const reply = await carrier.call<Readable | ReadableStream>("lines", { count: 100_000 });
        // Leaving the iterator closes the stream.
        const pieces = reply[Symbol.asyncIterator]();
        await pieces.next();
        await pieces.return?.();

        expect(await carrier.call("echo", { value: "next" })).toBe("next");
      });
    },
  );

  describeRows(
    "octets",
    carriers.filter(({ can }) => can.octets),
    (row) => {
      let carrier: OpenCarrier;
      beforeAll(async () => void (carrier = await openCarrier(row)));
      afterAll(() => carrier[Symbol.asyncDispose]());

      /** Bytes as they are, whatever the row would make of an input. */
      const send = (name: string, stream: Readable | ReadableStream): Promise<Readable> =>
        carrier.client.task<unknown, Readable>(`contract.${name}`, stream);

      it.each([0, 1, 1_000_000])("go there and back: %i bytes", async (size) => {
        const bytes = randomBytes(size);

        const reply = await send("invert", Readable.from(piecesOf(bytes)));

        expect(sha256Of(await buffer(reply))).toBe(sha256Of(bytes.map((byte) => ~byte)));
      });

      it("may come from a web stream", async () => {
        const reply = await send("invert", ReadableStream.from([Buffer.from([1, 2])]));

        expect([...(await buffer(reply))]).toEqual([254, 253]);
      });

      it("are answered while they are still being sent", async () => {
        const sent = new Readable({ read() {} });
        sent.push(Buffer.from([0]));
        const reply = await send("invert", sent);
        const received = reply[Symbol.asyncIterator]();

        expect([...((await received.next()).value as Buffer)]).toEqual([255]);
        sent.push(Buffer.from([1]));
        expect([...((await received.next()).value as Buffer)]).toEqual([254]);
        sent.push(null);
        expect((await received.next()).done).toBe(true);
      });

      it("fail the call when their source fails", async () => {
        const source = Readable.from(failing());

        const error = await rejectionOf(send("echo", source));

        expect(error.message).toBe("the tape is torn");
      });
    },
  );
}

async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.from("{");
  await new Promise(setImmediate);
  throw new Error("the tape is torn");
}
