import { startSubscriptions } from "../support/subscriptionServer";
import { rawPost } from "../support/exposure";
import { placed } from "../integration/subscriptions/subscriptionDefinitions";

const accept = "accept: application/x-runner-items+ndjson";
const ask = (): string => rawPost("/__runner/subscribe", JSON.stringify({ input: { events: [placed.id] } }), [accept]);
const turn = (): Promise<void> => new Promise(setImmediate);

it("1,000 subscriptions that are cut as soon as they are asked for give their places back", async () => {
  const limits = { subscriptions: { open: 1000 } };
  await using server = await startSubscriptions({ subscribable: [placed] }, { limits });
  const cut = Array.from({ length: 1000 }, () => server.connect());
  for (const [index, { socket, write }] of cut.entries()) {
    write(ask());
    if (index % 2 === 0) socket.once("data", () => socket.resetAndDestroy());
    else socket.write("", () => socket.destroy());
  }
  await Promise.all(cut.map(({ closed }) => closed));
  const connectionsOf = (): Promise<number> =>
    new Promise((resolve) => server.handlers.server?.getConnections((_error, count) => resolve(count)));
  while ((await connectionsOf()) > 0) await turn();

  const next = Array.from({ length: 1000 }, () => server.connect());
  for (const { write } of next) write(ask());
  const opened = await Promise.all(next.map(({ until }) => until(/"open"|OVERLOADED/)));
  for (const { socket } of next) socket.destroy();

  expect(opened.filter((text) => text.includes("OVERLOADED"))).toEqual([]);
}, 120_000);
