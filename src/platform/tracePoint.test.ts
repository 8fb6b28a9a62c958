import { TracePoint, type Traced } from "./tracePoint";

const noTrace = (): Traced => ({ trace: undefined });

describe("where node:diagnostics_channel is missing", () => {
  beforeEach(() => void jest.spyOn(process, "getBuiltinModule").mockReturnValue(undefined));
  afterEach(() => void jest.restoreAllMocks());

  it("observers receive every phase, and without any of them nothing is on", async () => {
    const seen: string[] = [];
    const observers: ((event: { channel: string; phase: string }) => void)[] = [];
    const point = new TracePoint("runner:task", observers);
    expect(point.isOn).toBe(false);
    observers.push(({ channel, phase }) => void seen.push(`${channel} ${phase}`));

    const message = noTrace();
    await expect(point.run(message, async () => 7)).resolves.toBe(7);

    expect(point.isOn).toBe(true);
    expect(seen).toEqual(["start", "end", "asyncStart", "asyncEnd"].map((phase) => `runner:task ${phase}`));
    expect(message.ms).toBeGreaterThanOrEqual(0);
  });

  it("a call runs inside what an observer of its start says", async () => {
    const order: string[] = [];
    const observe = ({ phase, message }: { phase: string; message: Traced }): void => {
      if (phase !== "start") return;
      message.enter = (call) => {
        order.push("entered");
        return call();
      };
    };
    const point = new TracePoint("runner:task", [observe]);

    await point.run(noTrace(), async () => void order.push("called"));

    expect(order).toEqual(["entered", "called"]);
  });
});

it("what an observer throws reaches the process, and the call goes on", async () => {
  const thrown: (() => void)[] = [];
  const later = jest.spyOn(globalThis, "queueMicrotask").mockImplementation((fn) => void thrown.push(fn));
  const point = new TracePoint("runner:test", [
    ({ phase }: { phase: string }) => {
      if (phase === "start") throw new Error("of the observer");
    },
  ]);

  await expect(point.run(noTrace(), async () => "done")).resolves.toBe("done");

  later.mockRestore();
  expect(thrown).toHaveLength(1);
  expect(thrown[0]).toThrow("of the observer");
});

it("a call that goes on by callbacks has the phases of one that is waited for", () => {
  const seen: string[] = [];
  const point = new TracePoint("runner:test", [({ phase }: { phase: string }) => void seen.push(phase)]);
  const message = noTrace();
  let end = (): void => {};

  point.begin(message, (onEnd) => (end = onEnd));
  expect(seen).toEqual(["start", "end"]);
  expect(message).not.toHaveProperty("ms");
  end();

  expect(seen).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
  expect(message.ms).toBeGreaterThanOrEqual(0);
});

it("a call is run where what a listener has it run inside fails", () => {
  const thrown: (() => void)[] = [];
  const later = jest.spyOn(globalThis, "queueMicrotask").mockImplementation((fn) => void thrown.push(fn));
  const point = new TracePoint("runner:test", [
    ({ phase, message }: { phase: string; message: Traced }) => {
      if (phase !== "start") return;
      message.enter = () => {
        throw new Error("of the listener");
      };
    },
  ]);
  let runs = 0;

  point.begin(noTrace(), () => (runs += 1));

  later.mockRestore();
  expect(runs).toBe(1);
  expect(thrown[0]).toThrow("of the listener");
});
