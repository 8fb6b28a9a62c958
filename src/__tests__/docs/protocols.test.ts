import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { nodeExposure } from "../../node/exposure/exposureResource";
import vectorFile from "../../serializer/golden/serializer-vectors.json";
import { startGoldenServer } from "../support/goldenServer";
import { root } from "../support/root";

/** The pages of a folder of the guide, one after another. */
const readPages = (folder: string): string =>
  readdirSync(join(root, "readmes", folder))
    .map((name) => readFileSync(join(root, "readmes", folder, name), "utf8"))
    .join("\n");

/** The contents of the fences that begin with these words. */
const fencesOf = (page: string, words: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${words}\\n([^]*?)\\n\`\`\`$`, "gm"))].map(([, content = ""]) => content);

describe("the protocol of the serializer", () => {
  interface Vector {
    readonly name: string;
    readonly wire: string | null;
    readonly throws?: { readonly message: string } | null;
  }
  const vectors = new Map(
    (vectorFile as (Vector & { readonly ours?: Partial<Vector> })[]).map((each) => [
      each.name,
      { ...each, ...each.ours },
    ]),
  );
  const lines = fencesOf(readPages("serializer"), "text vectors")
    .flatMap((fence) => fence.split("\n"))
    .filter((line) => !line.startsWith("#"));

  it.each(lines)("the protocol of the serializer quotes the golden data: %s", (line) => {
    const [, name = "", wire, message] = /^(\S+) ([^]*?)(?: → ([^→]*))?$/.exec(line) ?? [];

    const golden = vectors.get(name);

    expect({ wire, message }).toEqual({ wire: golden?.wire, message: golden?.throws?.message });
  });

  it("the protocol of the serializer has examples of every kind", () => {
    expect(lines.length).toBeGreaterThan(80);
  });
});

describe("the wire over HTTP", () => {
  const page = readPages("wire");
  const requests = fencesOf(page, "http request");
  const responses = fencesOf(page, "http response");
  const tasks = ["add", "echo", "typed", "throw", "schema", "upload", "octetjson", "stream", "ctx"].map(
    (name) => `app.${name}`,
  );

  let server: Awaited<ReturnType<typeof startGoldenServer>>;
  beforeAll(async () => {
    const http = { auth: { token: "s3cret" }, cors: { origin: ["https://a.test"] } };
    server = await startGoldenServer({ http, exposes: { tasks, events: ["app.ev"] } });
  });
  afterAll(() => server.dispose());

  async function send(request: string): Promise<string> {
    const { port } = server.getResourceValue(nodeExposure).server?.address() as AddressInfo;
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(withEmptyLine(request).replaceAll("\n", "\r\n"));
    return (await text(socket)).replaceAll("\r\n", "\n");
  }

  it.each(requests.map((request, index) => [request.split("\n", 1)[0], request, responses[index] ?? ""]))(
    "the wire over HTTP answers as it says: %s",
    async (_title, request, stated) => {
      const actual = readMessage(await send(request ?? ""));
      const expected = readMessage(stated ?? "");

      expect({ start: actual.start, body: actual.body }).toEqual({ start: expected.start, body: expected.body });
      expect(actual.headers).toMatchObject(expected.headers);
    },
  );

  it("the wire over HTTP has an answer to every request, and lengths that are right", () => {
    expect(responses).toHaveLength(requests.length);
    for (const message of [...requests, ...responses]) {
      const { start, headers, body } = readMessage(withEmptyLine(message));
      const stated = headers["content-length"];

      if (stated !== undefined) {
        expect([start, stated]).toEqual([start, String(Buffer.byteLength(body.replaceAll("\n", "\r\n")))]);
      }
    }
  });
});

/** A fence cannot show the empty line after the headers of a message without a body. */
const withEmptyLine = (message: string): string => (message.includes("\n\n") ? message : `${message}\n\n`);

function readMessage(message: string): { start: string; headers: Record<string, string>; body: string } {
  const [head = "", ...rest] = message.split("\n\n");
  const [start = "", ...fields] = head.split("\n");
  const headers = Object.fromEntries(
    fields.map((field) => {
      const [, name = "", value = ""] = /^([^:]+): *(.*)$/.exec(field) ?? [];
      return [name.toLowerCase(), value];
    }),
  );
  const body = rest.join("\n\n");
  return { start, headers, body: isChunked(headers, body) ? unchunk(body) : body };
}

/** The page shows bodies without the frames of their chunks. */
const isChunked = (headers: Record<string, string>, body: string): boolean =>
  headers["transfer-encoding"] === "chunked" && body.endsWith("0\n\n");

/** Of ASCII text. */
function unchunk(body: string): string {
  const [, size = "0", rest = ""] = /^([0-9a-f]+)\n([^]*)$/.exec(body) ?? [];
  const length = parseInt(size, 16);
  return length === 0 ? "" : rest.slice(0, length) + unchunk(rest.slice(length + 1));
}
