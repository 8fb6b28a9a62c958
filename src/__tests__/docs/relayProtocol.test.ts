import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloseCode, ResetCode } from "../../relay/codes";
import { decodeControl, encodeControl } from "../../relay/controlMessages";
import {
  decodeOpen,
  decodeRequestHead,
  decodeReset,
  decodeResponseHead,
  decodeTrailers,
  decodeWindow,
  encodeOpen,
  encodeRequestHead,
  encodeReset,
  encodeResponseHead,
  encodeTrailers,
  encodeWindow,
} from "../../relay/framePayloads";
import { FrameReader, FrameType, type Frame } from "../../relay/frames";
import { frameOf } from "../support/muxStreams";
import { root } from "../support/root";

const page = readFileSync(join(root, "readmes/REVERSE_TUNNEL_PROTOCOL.md"), "utf8");

/** The lines of the fences that begin with these words. */
const linesOf = (words: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${words}\\n([^]*?)\\n\`\`\`$`, "gm"))].flatMap(([, content = ""]) =>
    content.split("\n"),
  );

/** The rows of the table whose header begins so, as cells. */
function rowsOf(header: string): string[][] {
  const lines = page.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${header}`));
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith("|")),
    )
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const json = (text: string): unknown => JSON.parse(text);

describe("the protocol of reverse tunnels", () => {
  it("the protocol of reverse tunnels lists the types of frames, as they are", () => {
    const listed = rowsOf("Type | Name").map(([type, name]) => [name, Number(type)]);
    const names = { CTRL: "CONTROL", EXT: "EXTENSION" } as Record<string, string>;

    expect(Object.fromEntries(listed.map(([name, type]) => [names[name as string] ?? name, type]))).toEqual(FrameType);
  });

  it("the protocol of reverse tunnels lists all codes of RESET and of closing", () => {
    const byName = (header: string) =>
      Object.fromEntries(rowsOf(header).map(([code, name]) => [name as string, Number(code)]));

    expect(byName("RESET code")).toEqual(ResetCode);
    expect(byName("Close code")).toEqual(CloseCode);
  });

  it.each(linesOf("text control"))(
    "the protocol of reverse tunnels shows control messages that are read: %s",
    (line) => {
      const message = decodeControl(Buffer.from(line));

      expect(message).toMatchObject(json(line) as object);
      expect(message && JSON.parse(Buffer.from(encodeControl(message)).toString())).toMatchObject(json(line) as object);
    },
  );

  it("the protocol of reverse tunnels shows a control message of every type", () => {
    const types = linesOf("text control").map((line) => (json(line) as { t: string }).t);

    expect(new Set(types)).toEqual(
      new Set([
        ...["HELLO", "HELLO_OK", "HELLO_ERR", "BIND", "BIND_OK", "BIND_ERR"],
        ...["BIND_REVOKED", "UNBIND", "UNBIND_OK", "GOAWAY"],
      ]),
    );
  });

  it("the protocol of reverse tunnels shows heads that are read, and written like that", () => {
    const [request = "", response = ""] = linesOf("text head");
    const requestHead = decodeRequestHead(Buffer.from(request));
    const responseHead = decodeResponseHead(Buffer.from(response), 0);

    expect(json(Buffer.from(encodeRequestHead(requestHead)).toString())).toEqual(json(request));
    expect(json(Buffer.from(encodeResponseHead(responseHead)).toString())).toEqual(json(response));
  });

  const examples = linesOf("text frames").filter((line) => !line.startsWith("#"));

  it.each(examples)("the protocol of reverse tunnels shows bytes that are read, and written like that: %s", (line) => {
    const bytes = Buffer.from(line.replaceAll(" ", ""), "hex");
    const frames: Frame[] = [];
    new FrameReader(65_536, (frame) => frames.push(frame)).push(bytes);
    const [frame] = frames as [Frame];

    expect(frames).toHaveLength(1);
    expect(frameOf(frame.type, frame.flags, frame.streamId, rewritten(frame)).toString("hex")).toBe(
      bytes.toString("hex"),
    );
  });

  it("the protocol of reverse tunnels shows bytes of every type of frame but EXT", () => {
    const types = examples.map((line) => parseInt(line[1] as string, 16));

    expect(new Set(types)).toEqual(new Set(Object.values(FrameType).filter((type) => type !== FrameType.EXTENSION)));
  });
});

/** The payload, read and written again. */
function rewritten({ type, flags, payload }: Frame): Uint8Array {
  switch (type) {
    case FrameType.OPEN:
      return encodeOpen(decodeOpen(payload));
    case FrameType.WINDOW:
      return encodeWindow(decodeWindow(payload));
    case FrameType.RESET:
      return encodeReset(decodeReset(payload));
    case FrameType.HEAD:
      return flags & 1
        ? encodeRequestHead(decodeRequestHead(payload))
        : encodeResponseHead(decodeResponseHead(payload, flags));
    case FrameType.TRAILERS:
      return encodeTrailers(decodeTrailers(payload));
    case FrameType.CONTROL: {
      const message = decodeControl(payload);
      return message === undefined ? new Uint8Array() : encodeControl(message);
    }
    default:
      return payload;
  }
}
