import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { listen } from "../lib/listen.mjs";
import { runOptions } from "../lib/runOptions.mjs";
import { count, echo, measureStreams, source } from "./bytes.mjs";

/** Tasks that take and give bytes, with a build of the runner, whichever version it is. */
export async function startServer({ r, run, globals, nodeExposure, useExposureContext }) {
  const task = (id, body) =>
    r
      .task(id)
      .run(async () => body(useExposureContext().req))
      .build();
  const tasks = [
    task("app.tasks.up", (req) => count(req)),
    task("app.tasks.down", async (req) => source(Number(await text(req)))),
    task("app.tasks.echo", (req) => req),
  ];
  const tunnel = r
    .resource("app.tunnels.exposed")
    .tags([globals.tags.tunnel])
    .init(async () => ({ transport: "http", mode: "server", tasks: tasks.map(({ id }) => id), events: [] }))
    .build();
  const server = createServer();
  const exposure = nodeExposure.with({ http: { server, auth: { allowAnonymous: true } } });
  await run(
    r
      .resource("app")
      .register([...tasks, tunnel, exposure])
      .build(),
    runOptions,
  );
  return { port: await listen(server) };
}

/** Its Smart client. The size of a download is sent as a stream, as 5.5 takes streams only in reply to streams. */
export function startClient({ createHttpSmartClient, Serializer }, { port }) {
  const client = createHttpSmartClient({ baseUrl: `http://127.0.0.1:${port}/__runner`, serializer: new Serializer() });
  const sized = (bytes) => Readable.from([Buffer.from(String(bytes))]);
  return measureStreams({
    up: (bytes) => client.task("app.tasks.up", source(bytes)),
    down: async (bytes) => count(await client.task("app.tasks.down", sized(bytes))),
    echo: (bytes) => echo(bytes, (body) => client.task("app.tasks.echo", body)),
  });
}
