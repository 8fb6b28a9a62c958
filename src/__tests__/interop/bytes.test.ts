import { rows, startInterop, type Interop, type Row } from "./directions";
import { sha256OfPieces, type Source } from "./scenarios";

const MiB = 1024 * 1024;

let interop: Interop;
beforeAll(async () => void (interop = await startInterop()));
afterAll(() => interop[Symbol.asyncDispose]());

const sourcesOf = ([, , kind]: Row): readonly Source[] => {
  if (kind === "universal") return ["blob"];
  return kind === "fetch" ? [] : ["buffer", "stream"];
};
/** Large ones once per source, version and direction. */
const sizesOf = ([, , kind]: Row): readonly number[] => (kind === "mixed" ? [0, 1024] : [0, 1024, 30 * MiB]);

const uploads = rows.flatMap((row) =>
  sourcesOf(row).flatMap((source) => sizesOf(row).map((size) => [...row, source, size] as const)),
);

describe.each(uploads)("%s, %s by the %s client", (published, direction, kind, source, size) => {
  it(`a call between versions uploads ${size} bytes from a ${source}`, async () => {
    const stored = await interop.playerOf([published, direction, kind]).play("upload", source, size);

    expect(stored).toEqual({
      name: "large.bin",
      type: "application/x-large",
      bytes: size,
      sha256: sha256OfPieces(size),
      // A date beside a file is lost in 5.x, by its clients and by its servers.
      noteIsDate: false,
    });
  });
});

describe.each(rows.filter(([, , kind]) => kind === "smart" || kind === "mixed"))(
  "%s, %s by the %s client",
  (...row) => {
    const [published, direction] = row;
    const isOldCaller = published === "runner-52" && direction === "theirs calls ours";

    it.each([1, 1_000_000])(
      "a call between versions sends and receives octets at the same time: %i bytes",
      async (size) => {
        expect(await interop.playerOf(row).play("duplex", size)).toBe(true);
      },
    );

    it("a call between versions downloads a stream", async () => {
      expect(await interop.playerOf(row).play("downloadAfterOctets")).toBe("one\ntwo\n");
    });

    it(`a call between versions finds ${isOldCaller ? "the text of an envelope" : "a value"} where octets are answered with a value`, async () => {
      const answer = await interop.playerOf(row).play("octetsAnsweredByValue");

      const value = "[object Undefined]";
      expect(answer).toEqual(isOldCaller ? { stream: `{"ok":true,"result":"${value}"}` } : { value });
    });

    it(`a call between versions finds ${isOldCaller ? "the text of an envelope" : "a TunnelError"} where octets are refused`, async () => {
      const answer = await interop.playerOf(row).play("octetsRefused");

      const error = { message: "Unauthorized", code: "UNAUTHORIZED" };
      if (isOldCaller) expect(answer).toEqual({ stream: JSON.stringify({ ok: false, error }) });
      else expect(answer).toEqual({ ...error, name: "TunnelError", isSoldOut: false });
    });
  },
);

describe.each(rows.filter(([, direction, kind]) => direction === "ours calls theirs" && kind === "smart"))(
  "%s, %s by the %s client",
  (...row) => {
    it("a call between versions downloads a stream for a plain input, which clients of 5.x cannot", async () => {
      expect(await interop.playerOf(row).play("downloadAfterJson")).toBe("one\ntwo\n");
    });
  },
);
