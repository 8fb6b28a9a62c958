import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { tunnelExpose, tunnelPull } from "../../node";
import { createDeferred } from "../support/deferred";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { relayToken, sha256, startService, startTcpService, visit } from "../support/relay/relay";
import { startExposeCommand, startRelayCommand } from "../support/relay/tunnelCommand";
import { soon } from "../support/soon";
import { freePort } from "../support/freePort";

beforeAll(ensureBuilt, buildTimeoutMs);

/** Visits until there is an answer that is not the relay's own. */
async function visitOnceBack(port: number, path: string): Promise<string> {
  for (;;) {
    const reply = await visit(port, { path }).catch(() => undefined);
    if (reply?.status === 200) return String(reply.body);
    await new Promise(setImmediate);
  }
}

/** What a TCP service behind a port answers. */
async function askTcp(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    return String(await buffer(socket));
  } catch {
    return "";
  } finally {
    socket.destroy();
  }
}

it("a relay process that is asked to stop serves each of its 60 visitors to the end, byte for byte, and exits with 0", async () => {
  await using relay = await startRelayCommand();
  const body = randomBytes(400_000);
  const finishes: (() => void)[] = [];
  let reached = 0;
  const all = createDeferred();
  const hold = (finish?: () => void): void => {
    if (finish !== undefined) finishes.push(finish);
    reached += 1;
    if (reached === 60) all.resolve();
  };
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    const [, kind] = (req.url ?? "").split("/");
    if (kind === "silent") return hold(() => res.end(body));
    if (kind === "half") {
      res.writeHead(200).write(body.subarray(0, 200_000));
      return hold(() => res.end(body.subarray(200_000)));
    }
    // Of an upload the head and a part are there.
    req.once("data", () => hold());
    buffer(req).then(
      (sent) => res.end(sent),
      () => res.destroy(),
    );
  };
  await using service = await startService(serve);
  await using handle = await tunnelExpose({ relay: relay.url, token: relayToken, port: service.port });
  const { containerPort } = handle;
  const downloads = ["silent", "half"].flatMap((kind) =>
    Array.from({ length: 20 }, (_, index) => visit(containerPort, { path: `/${kind}/${index}` })),
  );
  const uploads = Array.from({ length: 20 }, async (_, index) => {
    const options = { host: "127.0.0.1", port: containerPort, path: `/upload/${index}`, method: "POST", agent: false };
    const call = httpRequest(options);
    const answered = once(call, "response") as Promise<[IncomingMessage]>;
    call.write(body.subarray(0, 100_000));
    finishes.push(() => void call.end(body.subarray(100_000)));
    const [message] = await answered;
    return { status: message.statusCode, body: await buffer(message) };
  });
  await soon(all.promise);
  const told = once(handle.session, "goaway");

  const ended = relay.end("SIGTERM");
  const [goaway] = await soon(told);
  for (const finish of finishes) finish();
  const replies = await Promise.all([...downloads, ...uploads]);

  expect(goaway).toMatchObject({ code: "SHUTDOWN", reconnect: true });
  const whole = replies.filter((reply) => reply.status === 200 && sha256(reply.body) === sha256(body));
  expect(whole).toHaveLength(60);
  expect(await ended).toBe(0);
});

it("a relay process that is killed and started again is found by its drivers, which serve visitors at their places again", async () => {
  const port = await freePort();
  const begun = createDeferred();
  const handled: string[] = [];
  await using service = await startService((req, res) => {
    handled.push(req.url ?? "");
    if (req.url !== "/half") return void res.end("served");
    res.writeHead(200, { "content-length": 10 }).write("half ");
    begun.resolve();
  });
  await using tcp = await startTcpService((socket) => socket.end("tcp"));
  const first = await startRelayCommand(port);
  await using exposed = await tunnelExpose({ relay: first.url, token: relayToken, port: service.port });
  await using pulled = await tunnelPull({
    relay: first.url,
    token: relayToken,
    containerPort: 0,
    localPort: tcp.port,
  });
  await using command = await startExposeCommand(first.url, service.port);
  const places = [exposed.containerPort, command.containerPort];
  const half = visit(exposed.containerPort, { path: "/half" }).catch((error: NodeJS.ErrnoException) => error.code);
  await soon(begun.promise);

  await first.end("SIGKILL");
  const cut = await soon(half);
  const gone = await visit(exposed.containerPort).catch((error: NodeJS.ErrnoException) => error.code);
  await using second = await startRelayCommand(port);
  const answers = await Promise.all(places.map((place, index) => visitOnceBack(place, `/${index}`)));
  let overTcp = await askTcp(pulled.containerPort);
  while (overTcp === "") overTcp = await askTcp(pulled.containerPort);

  expect(second.url).toBe(first.url);
  expect([cut, gone]).toEqual(["ECONNRESET", "ECONNREFUSED"]);
  expect([...answers, overTcp]).toEqual(["served", "served", "tcp"]);
  expect([exposed.containerPort, await command.event("bound")]).toEqual([
    places[0],
    expect.objectContaining({ port: places[1] }),
  ]);
  expect(handled.sort()).toEqual(["/0", "/1", "/half"]);
});
