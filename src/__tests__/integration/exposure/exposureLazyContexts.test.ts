import { once } from "node:events";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  createHttpMixedClient,
  r,
  useExposureContext,
  type InputFile,
  type RegisterableItems,
} from "../../../node/index";
import { createDeferred } from "../../support/deferred";
import {
  filePart,
  formHeaders,
  formOf,
  manifestPart,
  rawPost,
  sentinel,
  startExposure,
  token,
} from "../../support/exposure";
import { soon } from "../../support/soon";

const user = r.asyncContext<string>("user").build();
const ada = ["x-runner-context", JSON.stringify({ user: '"Ada"' })] as const;
const withAda = { [ada[0]]: ada[1] };

const who = (): string => {
  try {
    return user.use();
  } catch {
    return "nobody";
  }
};
const naming = () =>
  new Transform({
    transform: (_chunk, _encoding, done) => done(null, `${who()};`),
    flush: (done) => done(null, `${who()}.`),
  });

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();

const start = (definitions: readonly ReturnType<typeof task>[], extra: readonly RegisterableItems[] = []) =>
  startExposure(definitions, { limits: { closeMs: 50 } }, [user, ...extra]);

describe("Code that runs lazily for a call sees the call's contexts", () => {
  it.each<[string, () => unknown, string]>([
    [
      "a generator, at its start, between its pieces and at its end",
      () =>
        (async function* generate() {
          yield who();
          await new Promise(setImmediate);
          yield who();
        })(),
      "AdaAda",
    ],
    [
      "a generator whose head is sent at once",
      () => ({
        flushHeaders: true,
        stream: (async function* generate() {
          yield who();
        })(),
      }),
      "Ada",
    ],
    [
      "a readable of Node",
      () => {
        let left = 3;
        return new Readable({
          read() {
            left -= 1;
            setImmediate(() => this.push(left < 0 ? null : who()));
          },
        });
      },
      "AdaAdaAda",
    ],
    ["a readable made of a generator", () => Readable.from(names()), "AdaAda"],
    ["a transform behind another stream", () => Readable.from(["a", "b"]).pipe(naming()), "Ada;Ada;Ada."],
    [
      "a web stream",
      () => {
        let left = 2;
        return new ReadableStream({
          async pull(controller) {
            await new Promise(setImmediate);
            left -= 1;
            if (left < 0) controller.close();
            else controller.enqueue(Buffer.from(who()));
          },
        });
      },
      "AdaAda",
    ],
    [
      "a getter of the result",
      () => ({
        get name() {
          return who();
        },
      }),
      '{"ok":true,"result":{"name":"Ada"}}',
    ],
  ])("Code that runs lazily for a call sees the call's contexts as %s", async (_what, make, expected) => {
    await using exposure = await start([task("lazy", make)]);

    const reply = await exposure.post("/__runner/task/lazy", "{}", withAda);

    expect(await soon(reply.text())).toBe(expected);
  });

  it("Code that runs lazily for a call sees the call's contexts as a generator that goes on at the pace of its reader", async () => {
    const piece = "x".repeat(512 * 1024);
    const seen: string[] = [];
    const large = task("large", () =>
      (async function* generate() {
        for (let count = 0; count < 20; count++) {
          seen.push(who());
          yield piece;
        }
      })(),
    );
    await using exposure = await start([large]);

    const reply = await exposure.post("/__runner/task/large", "{}", withAda);
    const bytes = (await soon(reply.arrayBuffer())).byteLength;

    expect([bytes, new Set(seen)]).toEqual([20 * piece.length, new Set(["Ada"])]);
  });

  it.each<[string, () => unknown]>([
    [
      "listeners on the request",
      async () => {
        const { req } = useExposureContext();
        const seen: string[] = [];
        req.on("data", () => seen.push(who())).on("end", () => seen.push(`${who()}.`));
        await once(req, "end");
        return seen;
      },
    ],
    [
      "a transform that it pipes the request into",
      async () => {
        const seen: string[] = [];
        for await (const name of useExposureContext().req.pipe(naming())) seen.push(String(name));
        return seen;
      },
    ],
    [
      "a pipeline from the request",
      async () => {
        const seen: string[] = [];
        await pipeline(useExposureContext().req, naming(), async (names: AsyncIterable<unknown>) => {
          for await (const name of names) seen.push(`${String(name)}${who()}`);
        });
        return seen;
      },
    ],
  ])("Code that runs lazily for a call sees the call's contexts as %s", async (_what, read) => {
    await using exposure = await start([task("reads", read)]);
    const connection = exposure.connect();
    const head = rawPost("/__runner/task/reads", "abcdef", [ada.join(": "), "Content-Type: application/octet-stream"]);

    connection.write(head.slice(0, -3));
    await new Promise(setImmediate);
    connection.write(head.slice(-3));
    const reply = await soon(connection.until(/result/));

    expect(reply).toContain("Ada");
    expect(reply).not.toContain("nobody");
  });

  it("Code that runs lazily for a call sees the call's contexts as a transform between the request and the response", async () => {
    const echo = task("echo", () => {
      const { req, res } = useExposureContext();
      req.pipe(naming()).pipe(res);
    });
    await using exposure = await start([echo]);
    const connection = exposure.connect();
    const head = rawPost("/__runner/task/echo", "abcdef", [ada.join(": "), "Content-Type: application/octet-stream"]);

    connection.write(head.slice(0, -3));
    await soon(connection.until(/Ada;/));
    connection.write(head.slice(-3));
    const reply = await soon(connection.until(/Ada\./));

    expect(reply).not.toContain("nobody");
  });

  it.each<[string, (file: InputFile<Readable>) => Promise<unknown>]>([
    [
      "listeners on a file",
      async (file) => {
        const seen: string[] = [];
        const stream = file.stream();
        stream.on("data", () => seen.push(who())).on("end", () => seen.push(`${who()}.`));
        await once(stream, "end");
        return seen;
      },
    ],
    [
      "a transform that a file is piped into",
      async (file) => {
        const seen: string[] = [];
        for await (const name of file.stream().pipe(naming())) seen.push(String(name));
        return seen;
      },
    ],
  ])("Code that runs lazily for a call sees the call's contexts as %s", async (_what, read) => {
    const upload = r
      .task("upload")
      .run(async ({ file }: { file: InputFile<Readable> }) => read(file))
      .build();
    await using exposure = await start([upload as never]);
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "x".repeat(300_000)));

    const reply = await exposure.post("/__runner/task/upload", form, { ...formHeaders, ...withAda });
    const text = await soon(reply.text());

    expect(text).toContain("Ada.");
    expect(text).not.toContain("nobody");
  });

  it("Code that runs lazily for a call sees the call's contexts as a listener on its signal", async () => {
    const [started, aborted] = [createDeferred(), createDeferred<string>()];
    const waits = r
      .task("waits")
      .run(async (_input: unknown, _dependencies, { signal }): Promise<unknown> => {
        signal.addEventListener("abort", () => aborted.resolve(who()));
        started.resolve();
        return new Promise(() => {});
      })
      .build();
    await using exposure = await start([waits]);
    const connection = exposure.connect();
    connection.write(rawPost("/__runner/task/waits", "{}", [ada.join(": ")]));
    await soon(started.promise);

    connection.socket.destroy();

    expect(await soon(aborted.promise)).toBe("Ada");
  });

  it("Code that runs lazily for a call sees the call's contexts and not those of another call on the same connection", async () => {
    const lists = task("lists", () => {
      const { req, res } = useExposureContext();
      res.on("finish", () => {});
      req.on("end", () => {});
      return names();
    });
    await using exposure = await start([lists]);
    const connection = exposure.connect();
    const of = (name?: string, ...more: string[]) =>
      rawPost("/__runner/task/lists", "{}", [
        ...(name === undefined ? [] : [`x-runner-context: ${JSON.stringify({ user: JSON.stringify(name) })}`]),
        ...more,
      ]);

    connection.write(of("Ada") + of("Bob"));
    await soon(connection.until(/Bob[^]*Bob[^]*\r\n0\r\n/));
    connection.write(of(undefined, "Connection: close"));
    const text = await soon(connection.closed);

    expect(text.match(/Ada|Bob|nobody/g)).toEqual(["Ada", "Ada", "Bob", "Bob", "nobody", "nobody"]);
  });

  it("Code that runs lazily for a call sees the call's contexts as the same generator does in this process", async () => {
    const lists = task("lists", names);
    await using exposure = await start([lists]);
    await using client = createHttpMixedClient({
      baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
      auth: { token },
      contexts: [user],
      forceSmart: true,
    });

    const local = await user.provide("Ada", async () =>
      joined((await exposure.app.runTask(lists, {})) as AsyncIterable<unknown>),
    );
    const remote = await user.provide("Ada", async () => joined(await client.task<unknown, Readable>("lists", {})));

    expect([local, remote]).toEqual(["AdaAda", "AdaAda"]);
  });
});

async function* names() {
  yield who();
  await new Promise(setImmediate);
  yield who();
}

async function joined(pieces: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += String(piece);
  return text;
}
