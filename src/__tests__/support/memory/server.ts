import { once } from "node:events";
import { readdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { globals, nodeExposure, r, run, useExposureContext, type InputFile } from "../../../node/index";
import { answerQuestions, bytesOf, countBytes, readFootprint, type Footprint } from "./program";

/** What the server keeps once no client is connected and garbage is collected. */
export interface Kept {
  readonly heapBytes: number;
  readonly openFiles: number;
  readonly connectionsEver: number;
}

/** What the test can ask. */
export interface ServerAnswers {
  baseUrl(): string;
  footprint(): Footprint;
  /** Settles once no client is connected and no file is worked on. */
  kept(): Kept;
}

type Upload = { readonly file: InputFile<Readable> };

const tasks = [
  r
    .task("app.takeBytes")
    .run(async () => countBytes(useExposureContext().req))
    .build(),
  r
    .task("app.takeFile")
    .run(async ({ file }: Upload) => countBytes((await file.resolve()).stream))
    .build(),
  r
    .task("app.leaveFile")
    .run(async (_input: Upload, _deps, { signal }) => once(signal, "abort"))
    .build(),
  r
    .task("app.giveBytes")
    .run(async (length: number) => bytesOf(length))
    .build(),
];
const tunnel = r
  .resource("app.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ transport: "http" as const, mode: "server" as const, tasks: () => true }))
  .build();
const limits = { multipart: { fileSize: Infinity, memory: 0 } };

async function main(): Promise<void> {
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, limits } });
  const root = r
    .resource("app")
    .register([...tasks, tunnel, exposure])
    .build();
  const app = await run(root, { shutdownHooks: false, logs: { printThreshold: null } });
  const { server, basePath } = app.getResourceValue(nodeExposure);
  if (server === null) throw new Error("The exposure has no server.");
  let connected = 0;
  let connectionsEver = 0;
  server.on("connection", (socket) => {
    connected += 1;
    connectionsEver += 1;
    socket.once("close", () => (connected -= 1));
  });

  async function readKept(): Promise<Kept> {
    const isBusy = (): boolean =>
      connected > 0 || process.getActiveResourcesInfo().some((resource) => resource.startsWith("FSReq"));
    // What ends with a connection takes a few turns, and what it held a few collections.
    for (let quietTurns = 0; quietTurns < 20; quietTurns = isBusy() ? 0 : quietTurns + 1) await nextTurn();
    for (let collection = 0; collection < 3; collection++) await globalThis.gc?.({ execution: "async", type: "major" });
    const openFiles = process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
    return { heapBytes: process.memoryUsage().heapUsed, openFiles, connectionsEver };
  }

  answerQuestions({
    baseUrl: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}`,
    footprint: readFootprint,
    kept: readKept,
  });
}

void main();
