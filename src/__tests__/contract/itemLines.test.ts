import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createHttpClient, Serializer, type TunnelError } from "../../node";
import { itemsContentType } from "../../tunnels/protocol/headers";
import { acceptsItems, itemLine, resultLine } from "../../tunnels/protocol/items";
import { wireSerializer } from "../../serializer/wireSerializer";

interface Golden {
  readonly contentType: string;
  readonly lines: readonly { readonly value: unknown; readonly line: string }[];
  readonly typed: { readonly line: string; readonly iso: string };
  readonly undefinedItem: string;
  readonly end: string;
  readonly endWithResult: { readonly result: unknown; readonly line: string };
  readonly streams: readonly {
    readonly name: string;
    readonly body: string;
    readonly items: readonly unknown[];
    readonly result?: unknown;
    readonly code?: string;
  }[];
}

const golden = JSON.parse(readFileSync(join(__dirname, "golden/item-lines.json"), "utf8")) as Golden;
const serializer = wireSerializer(undefined, { maxChars: 1_000_000 });

describe("lines of items that a server writes", () => {
  it.each(golden.lines)("the line of an item is $line", ({ value, line }) => {
    expect(itemLine(value, serializer)).toBe(line);
  });

  it("values that JSON lacks are written as the serializer writes them", () => {
    expect(itemLine(new Date(golden.typed.iso), serializer)).toBe(golden.typed.line);
    expect(itemLine(undefined, serializer)).toBe(golden.undefinedItem);
  });

  it("the line that ends a stream has the result only if there is one", () => {
    expect(resultLine(undefined, serializer)).toBe(golden.end);
    expect(resultLine(golden.endWithResult.result, serializer)).toBe(golden.endWithResult.line);
  });

  it("a serializer that indents writes one line all the same", () => {
    expect(itemLine({ a: [1, "x\ny"] }, new Serializer({ pretty: true }))).toBe('{"item":{"a":[1,"x\\ny"]}}');
  });

  it("the media type is the documented one, and callers have to name it", () => {
    expect(itemsContentType).toBe(golden.contentType);
    for (const accept of [
      golden.contentType,
      `text/html, ${golden.contentType};q=0.5`,
      golden.contentType.toUpperCase(),
    ]) {
      expect(acceptsItems(accept)).toBe(true);
    }
    for (const accept of [undefined, "*/*", "application/*", `${golden.contentType};q=0`, "application/json", ""]) {
      expect(acceptsItems(accept)).toBe(false);
    }
  });
});

describe("bodies of items that a client reads", () => {
  it.each(golden.streams.flatMap((each) => [1, 7, 1024].map((cutAt) => ({ ...each, cutAt }))))(
    "$name, in chunks of $cutAt bytes",
    async ({ body, items, result, code, cutAt }) => {
      const stream = clientOf(body, cutAt).stream("app.any");
      const read: unknown[] = [];
      const reading = (async () => {
        for await (const item of stream) read.push(item);
      })();

      if (code === undefined) await reading;
      else await expect(reading).rejects.toMatchObject({ name: "TunnelError", code });

      expect(read).toEqual(items);
      if (code === undefined) expect(await stream.result).toEqual(result);
      else await expect(stream.result).rejects.toMatchObject({ code });
    },
  );

  it("a key that reaches a prototype is refused or harmless, and changes no prototype", async () => {
    const reading = clientOf('{"item":{"__proto__":{"polluted":true}}}\n{"ok":true}\n', 1024).stream("app.any");
    const read: unknown[] = [];
    try {
      for await (const item of reading) read.push(item);
    } catch (error) {
      expect((error as TunnelError).code).toBe("INVALID_RESPONSE");
    }

    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect((read[0] as { polluted?: unknown } | undefined)?.polluted).toBeUndefined();
  });

  it("an endless line is given up at 1 MiB", async () => {
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024).fill(0x61)),
    });

    const reading = readAll(clientOfBody(endless));

    await expect(reading).rejects.toMatchObject({ code: "ITEM_TOO_LARGE" });
  });
});

async function readAll(client: ReturnType<typeof createHttpClient>): Promise<void> {
  for await (const item of client.stream("app.any")) expect(item).toBeDefined();
}

function clientOf(body: string, cutAt: number): ReturnType<typeof createHttpClient> {
  const bytes = new TextEncoder().encode(body);
  const chunks = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.byteLength; at += cutAt) controller.enqueue(bytes.slice(at, at + cutAt));
      controller.close();
    },
  });
  return clientOfBody(chunks);
}

const clientOfBody = (body: ReadableStream<Uint8Array>): ReturnType<typeof createHttpClient> =>
  createHttpClient({
    baseUrl: "http://items.test",
    fetchImpl: async () => new Response(body, { headers: { "content-type": itemsContentType } }),
  });
