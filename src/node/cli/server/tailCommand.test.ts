import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { startExposure, token, type TestExposure } from "../../../__tests__/support/exposure";
import { root } from "../../../__tests__/support/root";
import { r } from "../../index";

const { NODE_ENV: _mode, RUNNER_TOKEN: _token, ...environment } = process.env;
const charged = r.event<{ amount: number; at?: Date }>("shop.events.charged").build();
const silent = r.event<void>("shop.events.silent").build();

const start = () =>
  startExposure([charged, silent], {}, [r.tunnel.server("shop.heard").subscribable([charged]).build()]);
const urlOf = ({ port }: TestExposure): string => `http://127.0.0.1:${port}/__runner`;
const emit = async (exposure: TestExposure, payload: object): Promise<void> => {
  const reply = await exposure.post("/__runner/event/shop.events.charged", JSON.stringify({ payload }));
  expect(reply.status).toBe(200);
};

/** `runner tail …`, which goes on until it is stopped. */
function tail(exposure: TestExposure, ...args: string[]) {
  const child = spawn(process.execPath, [join(root, "dist/cli.js"), "tail", urlOf(exposure), ...args], {
    env: { ...environment, RUNNER_TOKEN: token },
  });
  const ended = once(child, "close") as Promise<[number]>;
  return {
    notes: createInterface(child.stderr)[Symbol.asyncIterator](),
    printed: text(child.stdout),
    stop: () => child.kill("SIGINT"),
    exitCode: async () => (await ended)[0],
  };
}

beforeAll(ensureBuilt, buildTimeoutMs);

it("runner tail prints events a line each, as far as it was asked to", async () => {
  await using exposure = await start();
  const command = tail(exposure, charged.id, "--count", "2");
  const opened = (await command.notes.next()).value as string;

  await emit(exposure, { amount: 5 });
  await emit(exposure, { amount: 6, at: { __type: "Date", value: "2020-01-02T03:04:05.000Z" } });

  expect(opened).toBe("Listening to shop.events.charged.");
  expect(await command.printed).toBe(
    'shop.events.charged  {"amount":5}\n' +
      'shop.events.charged  {"amount":6,"at":{"__type":"Date","value":"2020-01-02T03:04:05.000Z"}}\n',
  );
  expect(await command.exitCode()).toBe(0);
});

it("runner tail goes on behind an event that it has printed for a program", async () => {
  await using exposure = await start();
  const first = tail(exposure, charged.id, "--json", "--count", "1");
  await first.notes.next();
  await emit(exposure, { amount: 1 });
  const { id, ...heard } = JSON.parse(await first.printed) as { id: string };
  await emit(exposure, { amount: 2 });

  const second = tail(exposure, charged.id, "--json", "--count", "1", "--after", `${charged.id}=${id}`);

  expect(heard).toEqual({ event: charged.id, payload: { amount: 1 } });
  expect(JSON.parse(await second.printed)).toMatchObject({ payload: { amount: 2 } });
});

it("runner tail says on standard error what is gone", async () => {
  await using exposure = await start();
  const command = tail(exposure, charged.id, "--json", "--after", `${charged.id}=another-1`);

  const notes = [await command.notes.next(), await command.notes.next()].map(
    ({ value }) => JSON.parse(value as string) as object,
  );
  command.stop();

  expect(notes).toContainEqual({ gap: { event: charged.id, reason: "unknown", missed: null } });
  expect(await command.exitCode()).toBe(0);
});

it("runner tail ends in good order when it is stopped", async () => {
  await using exposure = await start();
  const command = tail(exposure, charged.id);
  await command.notes.next();

  command.stop();

  expect([await command.exitCode(), await command.printed]).toEqual([0, ""]);
});

it.each([
  ["an event that must not be heard", 3, [silent.id]],
  ["a position of an event that is not listened to", 2, [charged.id, "--after", "shop.events.other=1"]],
  ["a position without an event", 2, [charged.id, "--after", "1"]],
  ["no event", 2, []],
])("runner tail refuses %s", async (_what, exitCode, args) => {
  await using exposure = await start();

  expect(await tail(exposure, ...args).exitCode()).toBe(exitCode);
});
