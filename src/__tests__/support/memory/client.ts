import type { Readable } from "node:stream";
import { createHttpSmartClient, createNodeFile, type HttpSmartClient } from "../../../node/index";
import { answerQuestions, bytesOf, countBytes, readFootprint, type Footprint } from "./program";

/** What to carry, where, and how much of it. */
export interface TransferRequest {
  readonly baseUrl: string;
  readonly kind: keyof typeof transfers;
  readonly bytes: number;
}

/** What the test can ask. */
export interface ClientAnswers {
  /** How many bytes arrived. */
  transfer(request: TransferRequest): number;
  footprint(): Footprint;
}

const transfers = {
  "an upload of raw bytes": (client: HttpSmartClient, bytes: number): Promise<number> =>
    client.task<Readable, number>("app.takeBytes", bytesOf(bytes)),
  "an upload of a file": (client: HttpSmartClient, bytes: number): Promise<number> =>
    client.task("app.takeFile", { file: createNodeFile({ name: "large.bin" }, { stream: bytesOf(bytes) }) }),
  "a download": async (client: HttpSmartClient, bytes: number): Promise<number> =>
    countBytes(await client.task<number, Readable>("app.giveBytes", bytes)),
};

async function transfer({ baseUrl, kind, bytes }: TransferRequest): Promise<number> {
  await using client = createHttpSmartClient({ baseUrl });
  return await transfers[kind](client, bytes);
}

answerQuestions({ transfer: (request) => transfer(request as TransferRequest), footprint: readFootprint });
