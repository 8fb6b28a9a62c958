import { createHash } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { r, run, tunnelRelay } from "../../node";
import type { Report } from "./independentDriver";
import { soon } from "./soon";
import { quiet } from "./tunnelPair";

/** What drivers of the relay below need. */
export const token = "relay-secret";
export const protocols = ["hoody-tunnel.v2", "hoody-tunnel.v1"];

async function startRelay(allowedOrigins: readonly string[]) {
  const app = await run(
    r
      .resource("relay")
      .register([
        tunnelRelay.with({ listen: { port: 0 }, portRange: [40_000, 49_999], auth: { token }, allowedOrigins }),
      ])
      .build(),
    quiet,
  );
  const relay = app.getResourceValue(tunnelRelay);
  return {
    relay,
    connectUrl: `ws://127.0.0.1:${relay.port}/api/v1/tunnel/connect`,
    [Symbol.asyncDispose]: () => app.dispose(),
  };
}

const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Sends a body piece by piece, each once the answer to the one before has arrived, and then one of 1 MB. */
async function converse(port: number) {
  const req = request({ host: "127.0.0.1", port, method: "POST", agent: false });
  const answers: string[] = [];
  req.write("one");
  const [res] = (await soon(once(req, "response"))) as [IncomingMessage];
  for (const next of ["two", "three"]) {
    const [answer] = (await soon(once(res, "data"))) as [Buffer];
    answers.push(answer.toString());
    req.write(next);
  }
  answers.push(String(((await soon(once(res, "data"))) as [Buffer])[0]));
  const pieces: Buffer[] = [];
  res.on("data", (piece: Buffer) => pieces.push(piece));
  const large = Buffer.alloc(1_000_000, "abcdefghijklm");
  req.end(large);
  await soon(once(res, "end"));
  return {
    answers,
    driver: res.headers["x-driver"],
    isWhole: sha(Buffer.concat(pieces)) === sha(Buffer.from(large.toString().toUpperCase())),
  };
}

/** The reports of a driver, to be awaited in order. */
function reports() {
  const waiting: ((facts: Record<string, unknown>) => void)[] = [];
  const arrived: Record<string, unknown>[] = [];
  const report: Report = (event, facts) => {
    const entry = { event, ...facts };
    const next = waiting.shift();
    if (next === undefined) arrived.push(entry);
    else next(entry);
  };
  const next = (): Promise<Record<string, unknown>> => {
    const entry = arrived.shift();
    return entry === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(entry);
  };
  return { report, next: () => soon(next()) };
}

const conversation = { answers: ["ONE", "TWO", "THREE"], driver: "bare", isWhole: true };

interface LifeOptions {
  readonly allowedOrigins?: readonly string[] | undefined;
  /** What the relay selects. */
  readonly protocol?: string | undefined;
}

/** The whole life of a driver: it binds, serves, is cut off, resumes, serves again, and leaves. */
export async function expectWholeLife(
  start: (url: string, report: Report, leave: Promise<void>) => void,
  { allowedOrigins = [], protocol = "hoody-tunnel.v2" }: LifeOptions = {},
): Promise<void> {
  await using served = await startRelay(allowedOrigins);
  const { report, next } = reports();
  let leave = (): void => {};
  start(served.connectUrl, report, new Promise((resolve) => (leave = resolve)));

  const bound = await next();
  expect(bound).toMatchObject({ event: "bound", t: "BIND_OK", protocol, maxFrame: 16_384 });
  const port = bound.port as number;
  expect(await converse(port)).toEqual(conversation);

  for (const { sessionId } of served.relay.sessions()) served.relay.drop(sessionId);
  expect(await next()).toEqual({ event: "resumed", lostBy: 1006, resumed: true, isSame: true, bindings: [port] });
  expect(await converse(port)).toEqual(conversation);

  leave();
  expect(await next()).toEqual({ event: "left", code: 1000 });
  expect(served.relay.sessions()).toEqual([]);
}
