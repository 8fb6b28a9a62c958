/**
 * An upload beside plain data, and a streamed answer made of both: no side ever holds the whole file.
 *
 * The input has a file in it, so the client sends a form. The task gets the file as a stream that can be read once, and
 * returns an async generator, which goes out as it yields.
 */
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { r, type InputFile } from "@bluelibs/runner";
import { createHttpMixedClient, createNodeFile, nodeExposure, run } from "@bluelibs/runner/node";

async function* appendLines(file: Readable, lines: readonly string[]): AsyncGenerator<Uint8Array | string> {
  yield* file as AsyncIterable<Uint8Array>;
  for (const line of lines) yield `${line}\n`;
}

const append = r
  .task("text.tasks.append")
  .run(async ({ file, lines }: { file: InputFile<Readable>; lines: string[] }) => appendLines(file.stream(), lines))
  .build();

const reachable = r.tunnel.server("text.tunnels.reachable").tasks([append]).build();

const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token: "dev-secret" } } });
const app = r.resource("text.server").register([append, reachable, exposure]).build();

await using server = await run(app, { logs: { printThreshold: null } });
const { port } = server.getResourceValue(nodeExposure).server?.address() as AddressInfo;

await using client = createHttpMixedClient({
  baseUrl: `http://127.0.0.1:${port}/__runner`,
  auth: { token: "dev-secret" },
});

/** What is uploaded is made while it is sent. */
function* poem(): Generator<string> {
  yield "Roses are red,\n";
  yield "violets are blue,\n";
}

const answer = await client.task<unknown, Readable>(append.id, {
  file: createNodeFile({ name: "poem.txt", type: "text/plain" }, { stream: Readable.from(poem()) }),
  lines: ["streams go one way,", "and come back, too."],
});
console.log((await text(answer)).trimEnd());
