import { createServer } from "node:http";
import { listen } from "../lib/listen.mjs";
import { runOptions } from "../lib/runOptions.mjs";
import { countBytes, limits } from "./form.mjs";

/** With a build of the runner, whichever version it is. */
export async function startUploads({ r, run, globals, nodeExposure }) {
  const upload = r
    .task("app.tasks.upload")
    .run(async ({ files }) => {
      let bytes = 0;
      for (const file of files) bytes += await countBytes((await file.resolve()).stream);
      return bytes;
    })
    .build();
  const tunnel = r
    .resource("app.tunnels.exposed")
    .tags([globals.tags.tunnel])
    .init(async () => ({ transport: "http", mode: "server", tasks: [upload.id], events: [] }))
    .build();
  const server = createServer();
  const exposure = nodeExposure.with({
    http: { server, auth: { allowAnonymous: true }, limits: { multipart: limits } },
  });
  await run(r.resource("app").register([upload, tunnel, exposure]).build(), runOptions);
  return { port: await listen(server) };
}
