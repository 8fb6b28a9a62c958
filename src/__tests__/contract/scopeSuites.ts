import { TunnelError } from "../../node";
import { rejectionOf } from "../support/failures";
import { stopTime } from "../support/stopTime";
import { describeRows, type CarrierRow } from "./carriers";
import { openChain, type ScopeChain } from "./scopeChain";

const trace = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  flags: "01",
  state: "vendor=1",
};

/** What every carrier hands on of a call: its end, its time, its trace, and by what it came in. */
export function describeScopes(carriers: readonly CarrierRow[]): void {
  describeRows("a call through two services, their tasks and hooks", carriers, (row) => {
    let chain: ScopeChain;
    beforeAll(async () => void (chain = await openChain(row)));
    afterAll(() => chain[Symbol.asyncDispose]());

    it("stops its innermost task when the outermost caller aborts", async () => {
      const aborter = new AbortController();
      const reason = new Error("changed my mind");
      const pending = rejectionOf(chain.caller.call("outer", { call: "aborted" }, { signal: aborter.signal }));
      await chain.waits.arrived("aborted");

      aborter.abort(reason);

      expect(await pending).toBe(reason);
      await chain.waits.aborted("aborted");
    });

    it("tells its innermost task how much of the outermost caller's time is left", async () => {
      const { remainingMs } = await chain.look({ timeoutMs: 60_000 });

      expect(remainingMs).toBeGreaterThan(0);
      expect(remainingMs).toBeLessThanOrEqual(60_000);
    });

    it("keeps its trace, with a span of its own for each hop", async () => {
      const { trace: seen } = await chain.look({ trace });

      expect(seen).toMatchObject({ traceId: trace.traceId, flags: "01", state: "vendor=1" });
      expect(seen?.spanId).not.toBe(trace.spanId);
    });

    it("has for its origin what it came into the process by", async () => {
      const { origin } = await chain.look();

      expect(origin).toBe(row.origin ?? "exposure:http");
    });
  });

  it("stops the innermost of two services when the time of the outermost caller is up, whatever carries the calls", async () => {
    const outcomes: [string, string][] = [];
    for (const row of carriers) outcomes.push([row.name, await outcomeOfExpiry(row)]);

    expect(Object.fromEntries(outcomes)).toEqual(
      Object.fromEntries(carriers.map((row) => [row.name, row.timesOutWith])),
    );
  });
}

/** What a call rejects with whose time is up while the innermost task waits; resolves once that has stopped. */
async function outcomeOfExpiry(row: CarrierRow): Promise<string> {
  await using chain = await openChain(row);
  // What clients load with their first call takes nothing of the time of the next.
  if (row.hasOwnClock) await chain.look();
  using time = row.hasOwnClock ? undefined : stopTime();

  const failed = rejectionOf(chain.caller.call("outer", { call: "late" }, { timeoutMs: 2_000 }));
  await chain.waits.arrived("late");
  time?.advance(2_000);
  const failure = await failed;

  await chain.waits.aborted("late");
  return failure instanceof TunnelError ? failure.code : failure.name;
}
