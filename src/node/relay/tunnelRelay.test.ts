import { once } from "node:events";
import { startService, visit } from "../../__tests__/support/bareRelay";
import { rejectionOf } from "../../__tests__/support/failures";
import { soon } from "../../__tests__/support/soon";
import { quiet } from "../../__tests__/support/tunnelPair";
import { r, run, tunnelExpose, type TunnelRelayConfig } from "../../node";
import { tunnelRelay } from "./tunnelRelay";

/** A run with a relay, and a service behind it that answers when a test says so. */
async function served(config: Partial<TunnelRelayConfig>) {
  const relay = tunnelRelay.with({
    listen: { port: 0 },
    portRange: [21_000, 29_999],
    auth: { token: "s3cret" },
    publicUrlPattern: "http://{name}.tun.localhost",
    ...config,
  });
  const app = await run(r.resource("relay").register([relay]).build(), quiet);
  const { url, port } = app.getResourceValue(tunnelRelay);
  let answer: () => void = () => {};
  const service = await startService((_req, res) => (answer = () => void res.end("served")));
  const handle = await tunnelExpose({ relay: url, token: "s3cret", port: service.port, name: "web" });
  const asked = once(service.server, "request");
  const visited = visit(port, "/", { host: "web.tun.localhost" });
  await soon(asked);
  return {
    app,
    handle,
    visited,
    again: () => visit(port, "/", { host: "web.tun.localhost" }),
    answer: () => answer(),
    async [Symbol.asyncDispose]() {
      await handle.session.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

describe("a relay whose run ends", () => {
  it("a relay whose run ends serves the visitors it has, refuses new ones, and tells drivers that they may come back", async () => {
    await using story = await served({ drainMs: 10_000 });
    const told = once(story.handle.session, "goaway");
    const disposed = story.app.dispose();
    const [goaway] = (await soon(told)) as unknown[];
    const refused = await soon(story.again());
    story.answer();
    const { text } = await soon(story.visited);
    await soon(disposed);

    expect(goaway).toMatchObject({ code: "SHUTDOWN", reconnect: true });
    expect([refused.message.statusCode, refused.message.headers["retry-after"]]).toEqual([503, "1"]);
    expect(text).toBe("served");
    expect(await rejectionOf(story.again())).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("a relay whose run ends waits no longer than drainMs for its visitors", async () => {
    await using story = await served({ drainMs: 50 });
    await soon(story.app.dispose());
    const outcome = await soon(
      story.visited.then(
        ({ message }) => message.statusCode,
        (error: NodeJS.ErrnoException) => error.code,
      ),
    );

    expect([502, "ECONNRESET"]).toContain(outcome);
  });
});
