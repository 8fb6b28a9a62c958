import { maxJsonBytes, tasks } from "../edgeApp";
import { patternOf, sha256Of, type EdgeUnderTest } from "./edgeUnderTest";

/** Bodies of requests: large ones, and raw bytes. */
export function bodyCases({ title, post, call, withContexts }: EdgeUnderTest): void {
  it(title("reads a body of a megabyte, characters of several bytes whole"), async () => {
    const text = "aé文".repeat(250_000);

    expect((await call(tasks.length.id, text)).result).toBe(text.length);
  });

  it(title("reads a body whose length is not announced"), async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ input: "é".repeat(1000) }));
    const pieces = [...Array(Math.ceil(bytes.length / 7)).keys()].map((index) => bytes.slice(index * 7, index * 7 + 7));
    const body = new ReadableStream({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
    const reply = await post(tasks.length.id, body, {}, { duplex: "half" });

    expect(await reply.json()).toEqual({ ok: true, result: 1000 });
  });

  it(title("refuses a body that is announced too large, and one that turns out to be"), async () => {
    const large = " ".repeat(maxJsonBytes + 1);
    const refused = { status: 413, code: "PAYLOAD_TOO_LARGE" };
    const outcomeOf = async (body: RequestInit["body"], more = {}) => {
      const reply = await post(tasks.echo.id, body, {}, more);
      return { status: reply.status, code: ((await reply.json()) as { error: { code: string } }).error.code };
    };

    expect(await outcomeOf(large)).toEqual(refused);
    expect(await outcomeOf(new Blob([large]).stream(), { duplex: "half" })).toEqual(refused);
  });

  withContexts(title("gives a task the raw bytes of a request"), async () => {
    const bytes = patternOf(3_000_000);
    const reply = await post(tasks.hashBody.id, bytes, { "content-type": "application/octet-stream" });

    expect(await reply.json()).toEqual({ ok: true, result: { length: 3_000_000, sha256: sha256Of(bytes) } });
  });

  withContexts(title("replies while the bytes of a request still arrive"), async () => {
    let feed!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (feed = controller) });
    feed.enqueue(new TextEncoder().encode("first"));
    const headers = { "content-type": "application/octet-stream" };
    const reply = await post(tasks.echoBody.id, body, headers, { duplex: "half" });
    const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("first");

    feed.enqueue(new TextEncoder().encode("second"));
    feed.close();

    expect(new TextDecoder().decode((await reader.read()).value)).toBe("second");
    expect((await reader.read()).done).toBe(true);
  });
}
