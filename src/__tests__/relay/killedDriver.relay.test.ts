import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { createDeferred } from "../support/deferred";
import { buildTimeoutMs, ensureBuilt } from "../support/ensureBuilt";
import { sha256, startRelay, startService, tellError, visit } from "../support/relay/relay";
import { startExposeCommand } from "../support/relay/tunnelCommand";
import { soon } from "../support/soon";

beforeAll(ensureBuilt, buildTimeoutMs);

describe("a driver that is killed", () => {
  it.each([
    ["of a stated length", true],
    ["of chunks", false],
  ])("a driver that is killed within a download %s has its visitor cut, never whole", async (_what, isStated) => {
    await using relay = await startRelay();
    const body = randomBytes(6_000_000);
    let answered = 0;
    let left = createDeferred();
    await using service = await startService((_req, res) => {
      answered += 1;
      res.once("close", () => left.resolve());
      res.writeHead(200, isStated ? { "content-length": body.length } : {});
      // The first visitor is sent half of it.
      if (answered > 1) res.end(body);
      else res.write(body.subarray(0, body.length / 2));
    });
    const { containerPort, ...driver } = await startExposeCommand(relay.relay.url, service.port);
    const call = httpRequest({ host: "127.0.0.1", port: containerPort, agent: false }).end();
    const [message] = (await soon(once(call, "response"))) as [IncomingMessage];
    const received: Buffer[] = [];
    message.on("data", (piece: Buffer) => received.push(piece));
    const failed = once(message, "error");
    let ends = 0;
    message.once("end", () => (ends += 1));
    await once(message, "data");

    await driver.end("SIGKILL");
    const [error] = await soon(failed);
    await soon(left.promise);
    const prefix = Buffer.concat(received);
    left = createDeferred();
    await using again = await startExposeCommand(relay.relay.url, service.port, containerPort);
    const reply = await visit(again.containerPort);

    expect([message.statusCode, error]).toMatchObject([200, { code: "ECONNRESET" }]);
    expect([ends, message.complete]).toEqual([0, false]);
    expect(sha256(prefix)).toBe(sha256(body.subarray(0, prefix.length)));
    expect([reply.status, sha256(reply.body)]).toEqual([200, sha256(body)]);
    expect(answered).toBe(2);
  });

  it("a driver that is killed within an upload answers 502, and its service never takes the part for the whole", async () => {
    await using relay = await startRelay();
    const begun = createDeferred();
    const broken = createDeferred();
    let requests = 0;
    const stored: string[] = [];
    await using service = await startService((req, res) => {
      requests += 1;
      req.once("data", () => begun.resolve());
      buffer(req).then(
        (body) => {
          stored.push(sha256(body));
          res.end(sha256(body));
        },
        () => broken.resolve(),
      );
    });
    const { containerPort, ...driver } = await startExposeCommand(relay.relay.url, service.port);
    const body = randomBytes(8_000_000);
    const options = { host: "127.0.0.1", port: containerPort, agent: false, method: "POST" };
    // Without a stated length, only the end of the tunnel's stream tells the service that the body is whole.
    const call = httpRequest({ ...options, headers: { "transfer-encoding": "chunked" } }).on("error", () => {});
    const answered = once(call, "response") as Promise<[IncomingMessage]>;
    call.write(body.subarray(0, 4_000_000));
    await soon(begun.promise);

    await driver.end("SIGKILL");
    const [interrupted] = await soon(answered);
    await soon(broken.promise);
    call.destroy();
    await using again = await startExposeCommand(relay.relay.url, service.port, containerPort);
    const reply = await visit(again.containerPort, { method: "POST", body });

    expect([interrupted.statusCode, interrupted.headers["x-hoody-tunnel-error"]]).toEqual([502, "TUNNEL_INTERRUPTED"]);
    expect(String(reply.body)).toBe(sha256(body));
    expect([requests, stored]).toEqual([2, [sha256(body)]]);
  });

  it("a driver that is killed with requests it has not read, or that its service works on, answers 502 to each and repeats none", async () => {
    await using relay = await startRelay();
    const working = createDeferred();
    const handled: string[] = [];
    await using service = await startService((req, res) => {
      handled.push(req.url ?? "");
      if (req.url === "/working") working.resolve();
      else res.end("done");
    });
    const { containerPort, ...driver } = await startExposeCommand(relay.relay.url, service.port);
    const worked = visit(containerPort, { path: "/working", method: "POST" });
    await soon(working.promise);
    driver.child.kill("SIGSTOP");
    const unread = ["GET", "POST", "DELETE"].map((method) => visit(containerPort, { path: "/unread", method }));
    // The relay has sent their heads, which a driver that stands still accepts none of.
    while (relay.relay.sessions()[0]?.activeStreams !== 4) await new Promise(setImmediate);

    await driver.end("SIGKILL");
    const replies = await soon(Promise.all([worked, ...unread]));
    const parked = await visit(containerPort);
    await using again = await startExposeCommand(relay.relay.url, service.port, containerPort);
    const reply = await visit(again.containerPort, { path: "/again", method: "POST" });

    expect(replies.map(tellError)).toEqual(Array(4).fill([502, "TUNNEL_INTERRUPTED", undefined]));
    expect(tellError(parked)).toEqual([503, "TUNNEL_ORPHANED", "5"]);
    expect(String(reply.body)).toBe("done");
    expect(handled).toEqual(["/working", "/again"]);
  });
});
