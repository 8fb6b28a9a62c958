import { LineWriter, type LineWriterOptions, type StopReason } from "./lineWriter";

const open = (options: Partial<LineWriterOptions> = {}): LineWriter =>
  new LineWriter({ heartbeatMs: 0, drainMs: 0, ...options });
const text = ({ value }: IteratorResult<Uint8Array, undefined>): string => new TextDecoder().decode(value);

describe("LineWriter", () => {
  it("sends the first line at once, before the loop turns", async () => {
    const lines = open();
    const first = lines.next();

    lines.write("a");

    expect(text(await first)).toBe("a\n");
  });

  it("sends what was written in one turn of the loop together", async () => {
    const lines = open();
    lines.write("first");
    await lines.next();
    const batch = lines.next();

    lines.write("a");
    lines.write("b");
    lines.write("c");

    expect(text(await batch)).toBe("a\nb\nc\n");
  });

  it("lets a hot source write no more than 16 KiB in a turn, whether it is read or not", () => {
    const lines = open();
    let count = 0;
    while (lines.write("a".repeat(1023))) count += 1;

    expect(count).toBeLessThanOrEqual(16);
    expect(lines.waitingChars).toBeLessThanOrEqual(16 * 1024);
  });

  it("is ready again once the loop has turned and the reader has taken what waited", async () => {
    const lines = open();
    while (lines.write("a".repeat(1023)));
    const steps: string[] = [];
    const ready = lines.ready().then(() => steps.push("ready"));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    while (lines.waitingChars > 16 * 1024 - 1) {
      steps.push("read");
      await lines.next();
    }

    await ready;
    expect(steps.at(-1)).toBe("ready");
  });

  it("ends with its last line, and then for good", async () => {
    const lines = open();
    lines.write("a");
    lines.end("z");
    lines.write("b");

    expect(text(await lines.next())).toBe("a\nz\n");
    expect(await lines.next()).toEqual({ done: true, value: undefined });
    expect(await lines.next()).toEqual({ done: true, value: undefined });
  });

  it("tells that its reader has left, once, and takes no more lines", async () => {
    const reasons: StopReason[] = [];
    const lines = open({ onStopped: (reason) => reasons.push(reason) });
    const waiting = lines.next();

    await lines.return();
    await lines.return();

    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(lines.write("a")).toBe(false);
    expect(reasons).toEqual(["left"]);
  });

  it("does not tell a source that has ended that its reader left", async () => {
    const reasons: StopReason[] = [];
    const lines = open({ onStopped: (reason) => reasons.push(reason) });
    lines.end("z");

    await lines.return();

    expect(reasons).toEqual([]);
  });

  describe("over time", () => {
    beforeEach(() => void jest.useFakeTimers());
    afterEach(() => void jest.useRealTimers());

    it("sends an empty line when nothing else was sent for the time between heartbeats", async () => {
      const lines = open({ heartbeatMs: 15_000 });
      const beat = lines.next();
      let isSent = false;
      void beat.then(() => (isSent = true));

      await jest.advanceTimersByTimeAsync(14_000);
      expect(isSent).toBe(false);
      await jest.advanceTimersByTimeAsync(1_001);

      expect(text(await beat)).toBe("\n");
      await lines.return();
    });

    it("counts the time between heartbeats from what was sent last", async () => {
      const lines = open({ heartbeatMs: 15_000 });
      const first = lines.next();
      await jest.advanceTimersByTimeAsync(14_000);
      lines.write("a");
      expect(text(await first)).toBe("a\n");
      const second = lines.next();
      let isSent = false;
      void second.then(() => (isSent = true));

      await jest.advanceTimersByTimeAsync(14_000);
      expect(isSent).toBe(false);
      await jest.advanceTimersByTimeAsync(1_001);

      expect(text(await second)).toBe("\n");
      await lines.return();
    });

    it("fails a reader that takes nothing for the time it has, and lets go of what waited for it", async () => {
      const reasons: StopReason[] = [];
      const lines = open({ drainMs: 120_000, onStopped: (reason) => reasons.push(reason) });
      lines.write("a");

      await jest.advanceTimersByTimeAsync(119_000);
      expect(reasons).toEqual([]);
      await jest.advanceTimersByTimeAsync(1_001);

      expect(reasons).toEqual(["stalled"]);
      expect(lines.waitingChars).toBe(0);
      await expect(lines.next()).rejects.toThrow("took no line for 120000 ms");
    });

    it("does not fail a reader that waits for lines", async () => {
      const reasons: StopReason[] = [];
      const lines = open({ drainMs: 1000, onStopped: (reason) => reasons.push(reason) });
      void lines.next();

      await jest.advanceTimersByTimeAsync(10_000);

      expect(reasons).toEqual([]);
      await lines.return();
    });
  });
});
