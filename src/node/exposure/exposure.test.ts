import type { AddressInfo } from "node:net";
import { r } from "../../define/r";
import { globals } from "../../globals/index";
import { run } from "../../run";
import { nodeExposure } from "./exposureResource";

const add = r
  .task("app.add")
  .run(async (input: { a: number; b: number }) => input.a + input.b)
  .build();
const tunnel = r
  .resource("app.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ transport: "http" as const, mode: "server" as const, tasks: ["app.add"] }))
  .build();

it("serves a listed task to a caller with the token", async () => {
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token: "s3cret" } } });
  await using app = await run(r.resource("app").register([add, tunnel, exposure]).build(), { shutdownHooks: false });
  const { port } = app.getResourceValue(nodeExposure).server?.address() as AddressInfo;

  const reply = await fetch(`http://127.0.0.1:${port}/__runner/task/app.add`, {
    method: "POST",
    headers: { "x-runner-token": "s3cret", "content-type": "application/json" },
    body: JSON.stringify({ input: { a: 1, b: 2 } }),
  });

  expect(await reply.json()).toEqual({ ok: true, result: 3 });
});
