import fc from "fast-check";
import { r } from "../../../node";
import { createHttpMixedClient } from "../../../node";
import { startExposure, token } from "../../support/exposure";

const declared = r.error<{ n: number }>("interleavings.declared").build();

/** Waits for some turns of the loop, then does what it is told. */
const act = r
  .task("interleavings.act")
  .run(async ({ n, turns, how }: { n: number; turns: number; how: "value" | "declared" | "opaque" }) => {
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    if (how === "declared") throw declared.create({ n });
    if (how === "opaque") throw new Error(`secret ${n}`);
    return { n, at: new Date(n), text: `line\n${n} ü` };
  })
  .build();

it("however calls of a batch are interleaved, each gets the reply that it gets by itself", async () => {
  await using exposure = await startExposure([act], {}, [declared]);
  const connect = (batch: boolean) =>
    createHttpMixedClient({
      baseUrl: `http://127.0.0.1:${exposure.port}/__runner`,
      auth: { token },
      errorRegistry: new Map([[declared.id, declared]]),
      batch: batch && { maxItems: 16 },
    });
  await using batched = connect(true);
  await using single = connect(false);
  const call = fc.record({
    turns: fc.nat(6),
    how: fc.constantFrom("value", "value", "declared", "opaque"),
    pause: fc.nat(2),
  });

  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 60 }), async (calls) => {
      const callAll = (client: typeof batched) =>
        Promise.all(
          calls.map(async ({ turns, how, pause }, n) => {
            for (let turn = 0; turn < pause; turn += 1) await new Promise(setImmediate);
            const got = await client.safe(act.id, { n, turns, how });
            if (got.ok) return got.value;
            const { code, id, data, message } = got.error as Error & { code?: unknown; id?: unknown; data?: unknown };
            return { code, id, data, message };
          }),
        );

      expect(await callAll(batched)).toEqual(await callAll(single));
    }),
    { numRuns: 40 },
  );
});
