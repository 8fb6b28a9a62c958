import { LineReader } from "./lineReader";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const tooLong = (): Error => new RangeError("too long");
const read = (chunks: readonly Uint8Array[], limitBytes = 1000): string[] => {
  const reader = new LineReader(limitBytes, tooLong);
  return chunks.flatMap((chunk) => reader.push(chunk));
};

describe("LineReader", () => {
  it("reads the same lines however the bytes are cut, characters of several bytes among them", () => {
    const text = '{"item":"ü€😀"}\n\n{"item":2}\n';
    const whole = bytes(text);

    for (let size = 1; size <= whole.byteLength; size += 1) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < whole.byteLength; at += size) chunks.push(whole.subarray(at, at + size));
      expect(read(chunks)).toEqual(['{"item":"ü€😀"}', '{"item":2}']);
    }
  });

  it("tells whether a line has begun that is not complete", () => {
    const reader = new LineReader(1000, tooLong);

    reader.push(bytes("a\nb"));
    expect(reader.isMidLine).toBe(true);
    reader.push(bytes("\n"));

    expect(reader.isMidLine).toBe(false);
  });

  it("takes a line of exactly the limit, and refuses one byte more", () => {
    expect(read([bytes(`${"a".repeat(10)}\n`)], 10)).toEqual(["a".repeat(10)]);
    expect(() => read([bytes(`${"a".repeat(11)}\n`)], 10)).toThrow(RangeError);
  });

  it("counts bytes, not characters, and each line for itself", () => {
    expect(read([bytes("€€€\n€€€\n€€€\n")], 9)).toEqual(["€€€", "€€€", "€€€"]);
    expect(() => read([bytes("€€€\n€€€a\n")], 9)).toThrow(RangeError);
  });

  it("refuses an endless line as soon as it passes the limit", () => {
    const reader = new LineReader(64, tooLong);
    let count = 0;

    expect(() => {
      for (; ; count += 1) reader.push(bytes("a"));
    }).toThrow(RangeError);
    expect(count).toBe(64);
  });

  it("reads a line that comes byte by byte in time that grows with its length", () => {
    const length = 300_000;
    const reader = new LineReader(length, tooLong);
    const piece = bytes("a");

    for (let at = 0; at < length; at += 1) reader.push(piece);

    expect(reader.push(bytes("\n"))).toEqual(["a".repeat(length)]);
  });

  it("keeps what it was given although its sender uses the memory again", () => {
    const reader = new LineReader(64, tooLong);
    const memory = bytes("abc");
    reader.push(memory);
    memory.fill(0);

    expect(reader.push(bytes("d\n"))).toEqual(["abcd"]);
  });

  it("leaves heartbeats out, however many there are", () => {
    expect(read([new Uint8Array(1_000_000).fill(10), bytes("a\n")])).toEqual(["a"]);
  });

  it("refuses bytes that are no UTF-8 instead of replacing them", () => {
    expect(() => read([Uint8Array.of(0xff, 0x0a)])).toThrow("not valid");
  });
});
