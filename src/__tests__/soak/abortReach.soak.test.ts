import { describeRows, nodeCarriers } from "../contract/carriers";
import { openChain } from "../contract/scopeChain";
import { rejectionOf } from "../support/failures";

/** What separates the end of a call from the end of its innermost task, beside the network, which is loopback here. */
const limitMs = 50;

const sorted = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b);

describeRows("the end of a call through two services", nodeCarriers, (row) => {
  it(`reaches the innermost task within ${limitMs} ms of an abort, 47 times of 50`, async () => {
    await using chain = await openChain(row);
    const tookMs: number[] = [];

    for (let index = 0; index < 50; index++) {
      const call = `abort ${index}`;
      const aborter = new AbortController();
      const pending = rejectionOf(chain.caller.call("outer", { call }, { signal: aborter.signal }));
      await chain.waits.arrived(call);
      const abortedAt = performance.now();
      aborter.abort();
      await chain.waits.aborted(call);
      tookMs.push(performance.now() - abortedAt);
      await pending;
    }

    expect(sorted(tookMs)[46]).toBeLessThan(limitMs);
  });

  it(`reaches the innermost task within ${limitMs} ms of the end of its time, 2 times of 3`, async () => {
    await using chain = await openChain(row);
    await chain.look();
    const lateMs: number[] = [];

    for (let index = 0; index < 3; index++) {
      const call = `late ${index}`;
      const timeoutMs = 300;
      const startedAt = performance.now();
      const pending = rejectionOf(chain.caller.call("outer", { call }, { timeoutMs }));
      await chain.waits.aborted(call);
      lateMs.push(performance.now() - startedAt - timeoutMs);
      await pending;
    }

    expect(sorted(lateMs)[1]).toBeLessThan(limitMs);
  });
});
