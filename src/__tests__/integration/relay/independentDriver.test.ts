import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { WebSocket as UndiciWebSocket } from "undici";
import { WebSocket as WsWebSocket } from "ws";
import { runIndependentDriver, type Report, type SocketLike } from "../../support/independentDriver";
import { expectWholeLife, protocols, token } from "../../support/independentLife";

const headers = { "x-runner-token": token };

describe("a driver that is written from the page of the protocol", () => {
  it.each([
    ["ws", (url: string) => new WsWebSocket(url, protocols, { headers })],
    ["undici", (url: string) => new UndiciWebSocket(url, { protocols, headers })],
  ])(
    "a driver that is written from the page of the protocol serves through a WebSocket of %s, and resumes",
    async (_name, open) => {
      await expectWholeLife((url, report, leave) => {
        void runIndependentDriver(() => open(url) as unknown as SocketLike, report, leave);
      });
    },
  );

  it("a driver that is written from the page of the protocol serves over the first version of it, and resumes", async () => {
    const protocol = "hoody-tunnel.v1";

    await expectWholeLife(
      (url, report, leave) => {
        const open = () => new WsWebSocket(url, [protocol], { headers });
        void runIndependentDriver(() => open() as unknown as SocketLike, report, leave);
      },
      { protocol },
    );
  });

  it("a driver that is written from the page of the protocol serves through the WebSocket of Node, and resumes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "runner-driver-"));
    const outfile = join(folder, "driver.cjs");
    const entry = join(__dirname, "../../support/independentDriverProgram.ts");
    await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", target: "node20" });
    let ended: Promise<unknown> = Promise.resolve();

    await expectWholeLife((url, report, leave) => {
      const child = fork(outfile, [url, token], { execArgv: ["--experimental-websocket"], stdio: "ignore" });
      ended = once(child, "exit");
      child.on("message", ({ event, facts }: { event: string; facts: Parameters<Report>[1] }) => report(event, facts));
      void leave.then(() => child.send("leave"));
    });

    expect(await ended).toEqual([0, null]);
    await rm(folder, { recursive: true });
  });
});
