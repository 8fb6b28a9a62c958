import { once } from "node:events";
import { finished } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { PartStream } from "./partStream";

interface Fed {
  readonly stream: Readable;
  /** The next chunk, `null` for the end. */
  feed(chunk: string | null): void;
}

/** A stream of parts, and what it has to behave like. */
const kinds: readonly (readonly [string, (...chunks: (string | null)[]) => Fed])[] = [
  [
    "a part",
    (...chunks) => {
      let isAsked = false;
      const give = (): void => {
        const next = chunks.shift();
        isAsked = next === undefined;
        if (next !== undefined) stream.pass(next === null ? null : Buffer.from(next));
      };
      const stream = new PartStream({ give, drop() {} });
      return { stream, feed: (chunk) => void (chunks.push(chunk), isAsked && give()) };
    },
  ],
  [
    "Node's own stream",
    (...chunks) => {
      const stream = new Readable({ read() {} });
      for (const chunk of chunks) stream.push(chunk);
      return { stream, feed: (chunk) => void stream.push(chunk) };
    },
  ],
];

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  return text;
}

describe.each(kinds)("for await over %s", (_kind, open) => {
  it("gives what is there and ends with the stream ended, destroyed and marked as read", async () => {
    const { stream } = open("a", "b", null);

    const text = await textOf(stream);

    const { readableEnded, destroyed, readableDidRead, errored } = stream;
    expect({ text, readableEnded, destroyed, readableDidRead, errored }).toEqual({
      text: "ab",
      readableEnded: true,
      destroyed: true,
      readableDidRead: true,
      errored: null,
    });
  });

  it("waits for chunks and for the end", async () => {
    const { stream, feed } = open();
    const reading = textOf(stream);

    for (const chunk of ["a", "b", null]) {
      await new Promise(setImmediate);
      feed(chunk);
    }

    expect(await reading).toBe("ab");
  });

  it("emits end and close", async () => {
    const { stream } = open("a", null);
    const closed = once(stream, "close");
    const ended = once(stream, "end");

    await textOf(stream);

    expect(await Promise.all([ended, closed])).toEqual([[], []]);
    await expect(finished(stream)).resolves.toBeUndefined();
  });

  it("destroys the stream when the loop is left", async () => {
    const { stream } = open("a", "b");

    for await (const chunk of stream) {
      expect(String(chunk)).toMatch(/^a/);
      break;
    }

    expect(stream.destroyed).toBe(true);
  });

  it("throws the error that the stream is destroyed with, once", async () => {
    const { stream } = open("a");
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();

    stream.destroy(new Error("gone"));

    await expect(waiting).rejects.toThrow("gone");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("throws when the stream is destroyed before its end without an error", async () => {
    const { stream } = open();
    const reading = textOf(stream);
    await new Promise(setImmediate);

    stream.destroy();

    await expect(reading).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  });

  it("throws when the stream was destroyed before the loop", async () => {
    const { stream } = open("a", null);
    stream.destroy();

    await expect(textOf(stream)).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  });

  it("answers steps that are taken ahead in their order", async () => {
    const { stream, feed } = open();
    const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const steps = [iterator.next(), iterator.next(), iterator.next()];

    for (const chunk of ["a", "b", null]) {
      await new Promise(setImmediate);
      feed(chunk);
    }

    const values = (await Promise.all(steps)).map(({ done, value }) => (done === true ? "end" : String(value)));
    expect(values).toEqual(["a", "b", "end"]);
  });

  it("shows a listener for data what the loop gets", async () => {
    const { stream, feed } = open();
    const reading = textOf(stream);
    let seen = "";
    stream.on("data", (chunk: Buffer) => (seen += chunk.toString()));

    for (const chunk of ["a", "b", null]) {
      await new Promise(setImmediate);
      feed(chunk);
    }

    expect([await reading, seen]).toEqual(["ab", "ab"]);
  });

  it("reads on where another reader has begun", async () => {
    const { stream, feed } = open("a");
    expect(String(stream.read())).toBe("a");
    const reading = textOf(stream);

    for (const chunk of ["b", null]) {
      await new Promise(setImmediate);
      feed(chunk);
    }

    expect(await reading).toBe("b");
  });
});

it("A part that is iterated by a consumer of Node gives all of its bytes", async () => {
  const [, open] = kinds[0] as (typeof kinds)[number];

  expect((await buffer(open("a", "b", null).stream)).toString()).toBe("ab");
});
