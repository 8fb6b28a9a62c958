/** The side that receives: tasks that save, read or count files, and the limits they are protected by. */
import { rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { r, type InputFile } from "@bluelibs/runner";
import { nodeExposure, readInputFileToBuffer, run } from "@bluelibs/runner/node";

type Upload = InputFile<Readable>;

/** Files arrive beside values of any type. */
export const saveAvatar = r
  .task("files.tasks.saveAvatar")
  .run(async ({ avatar, takenAt }: { avatar: Upload; takenAt: Date }) => {
    const { path, bytesWritten } = await avatar.toTempFile();
    await rm(path); // an application would keep it
    return { name: avatar.name, type: avatar.type, bytesWritten, year: takenAt.getUTCFullYear() };
  })
  .build();

/** Files may be read in any order; what has to wait does so outside of memory. */
export const compare = r
  .task("files.tasks.compare")
  .run(async ({ before, after }: { before: Upload; after: Upload }) => {
    const second = await readInputFileToBuffer(after);
    const first = await readInputFileToBuffer(before);
    return first.equals(second);
  })
  .build();

/** However large a file is: only a chunk of it is in memory. */
export const countLines = r
  .task("files.tasks.countLines")
  .run(async ({ log }: { log: Upload }) => {
    let lines = 0;
    for await (const chunk of log.stream() as AsyncIterable<Buffer>)
      lines += chunk.filter((byte) => byte === 10).length;
    return lines;
  })
  .build();

const reachable = r.tunnel.server("files.tunnels.reachable").tasks([saveAvatar, compare, countLines]).build();

const exposure = nodeExposure.with({
  http: {
    listen: { port: 0 },
    auth: { token: "dev-secret" },
    limits: { multipart: { fileSize: 5_000_000, files: 2 } },
  },
});

const app = r.resource("files.server").register([saveAvatar, compare, countLines, reachable, exposure]).build();

export async function startServer() {
  const running = await run(app, { logs: { printThreshold: null } });
  const { port } = running.getResourceValue(nodeExposure).server?.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}/__runner`, [Symbol.asyncDispose]: () => running.dispose() };
}
