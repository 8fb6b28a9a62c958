/**
 * Bytes in both directions at once: what the client writes comes back changed before it has finished writing.
 *
 * The input is a stream, so it is the whole body of the request and the task's own input is `undefined`. The task reads
 * and writes through the exposure context.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { PassThrough, Transform } from "node:stream";
import { r } from "@bluelibs/runner";
import { createHttpSmartClient, nodeExposure, run, useExposureContext } from "@bluelibs/runner/node";

const shout = r
  .task("text.tasks.shout")
  .run(async () => {
    const { req, res, signal } = useExposureContext();
    const upperCase = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        done(null, chunk.toString().toUpperCase());
      },
    });
    // Piping into the response takes the reply over: nothing is added to it when the task returns.
    req.pipe(upperCase).pipe(res);
    signal.addEventListener("abort", () => upperCase.destroy(), { once: true });
  })
  .build();

const reachable = r.tunnel.server("text.tunnels.reachable").tasks([shout]).build();

const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token: "dev-secret" } } });
const app = r.resource("text.server").register([shout, reachable, exposure]).build();

await using server = await run(app, { logs: { printThreshold: null } });
const { port } = server.getResourceValue(nodeExposure).server?.address() as AddressInfo;

await using client = createHttpSmartClient({
  baseUrl: `http://127.0.0.1:${port}/__runner`,
  auth: { token: "dev-secret" },
});

const question = new PassThrough();
question.write("is anybody there?");
const answer = await client.task(shout.id, question);

for (const next of ["can you hear me", "goodbye"]) {
  const [heard] = (await once(answer, "data")) as [Buffer];
  console.log(`heard "${heard.toString()}", so I say "${next}"`);
  question.write(next);
}
const [last] = (await once(answer, "data")) as [Buffer];
console.log(`heard "${last.toString()}", so I hang up`);
question.end();
await once(answer, "end");
