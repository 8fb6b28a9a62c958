import { TextBytes } from "./textBytes";

test("texts become their UTF-8, and bytes stay as they are while further texts are written", () => {
  const texts = ["", "a", "käse", "🧀".repeat(10), "x".repeat(5000), "y".repeat(100_000), "ü".repeat(5461)];
  const writer = new TextBytes();
  const written = Array.from({ length: 50 }, () => texts.map((text) => writer.write(text)));
  for (const round of written) expect(round.map((bytes) => Buffer.from(bytes).toString())).toEqual(texts);
});

test("a surrogate by itself becomes the replacement character, as TextEncoder has it", () => {
  expect([...new TextBytes().write("a\ud800b")]).toEqual([...new TextEncoder().encode("a\ud800b")]);
});
