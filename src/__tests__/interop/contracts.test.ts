import { r, run } from "../../node";
import { rejectionOf } from "../support/failures";
import { token, type Published } from "./interopApp";
import { startPublished } from "./publishedPeer";

it.each<Published>(["runner-52", "runner-55"])(
  "a tunnel that verifies the contract of a server of %s says that it does not say it",
  async (published) => {
    await using peer = await startPublished(published);
    const echo = r.task.phantom<string, Promise<string>>("interop.tasks.echo").build();
    const tunnel = r.tunnel.client("app.old").tasks([echo]).http({ baseUrl: peer.baseUrl, auth: { token } });
    const boot = async (built: ReturnType<typeof tunnel.build>) => {
      await using app = await run(r.resource("app").register([echo, built]).build(), {
        shutdownHooks: false,
        logs: { printThreshold: null },
      });
      return app.runTask(echo, "hello");
    };

    const error = await rejectionOf(boot(tunnel.verify("throw").build()));

    expect(error).toMatchObject({ id: "runner.errors.contractUnverified", data: { code: "NO_CONTRACT" } });
    expect(await boot(tunnel.verify("warn").build())).toBe("hello");
  },
);
