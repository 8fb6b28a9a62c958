import { createHttpClient, createHttpMixedClient, createHttpSmartClient, r, run } from "../../../node";
import { startExposure, token } from "../../support/exposure";

const sum = r
  .task("app.sum")
  .itemInput<number>()
  .run(async (input: { from: number }, _dependencies, { items }) => {
    let total = input.from;
    for await (const item of items) total += item;
    return total;
  })
  .build();
const doubled = r
  .task("app.doubled")
  .itemInput<number>()
  .stream(async function* (input: { from: number }, _dependencies, { items }) {
    let total = input.from;
    for await (const item of items) {
      total += item;
      yield item * 2;
    }
    return total;
  })
  .build();
async function* numbers(to: number) {
  for (let n = 1; n <= to; n += 1) yield n;
}

it("a task reads the items of its caller", async () => {
  await using app = await run(r.resource("app").register([sum]).build());
  expect(await app.runTask(sum, { from: 1 }, { items: [1, 2, 3] })).toBe(7);
});
it.each([createHttpClient, createHttpSmartClient, createHttpMixedClient])("over %p", async (create) => {
  await using exposure = await startExposure([sum, doubled]);
  const client = create({ baseUrl: `http://127.0.0.1:${exposure.port}/__runner`, auth: { token } });
  expect(await client.task(sum, { from: 1 }, { items: numbers(2000) })).toBe(2001001);
  const stream = client.stream(doubled, { from: 1 }, { items: numbers(2000) });
  let total = 0;
  for await (const item of stream) total += item;
  expect(total).toBe(2 * 2001000);
  expect(await stream.result).toBe(2001001);
  await client.close();
});
