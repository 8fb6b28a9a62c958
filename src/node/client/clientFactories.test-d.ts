import { Readable } from "node:stream";
import { expectTypeOf } from "expect-type";
import { createFile } from "../../platform/createFile";
import type { TunnelClient } from "../../tunnels/routing/tags";
import type { InputFile } from "../../platform/inputFile";
import { createNodeFile } from "../files/createNodeFile";
import { createHttpMixedClient, createHttpSmartClient, createMixedHttpClient } from "./clientFactories";

const smart = createHttpSmartClient({ baseUrl: "/__runner", compression: { requests: true } });
const mixed = createHttpMixedClient({
  baseUrl: "http://127.0.0.1:7070/__runner",
  auth: { token: "dev-secret" },
  forceSmart: ({ id, input }) => id.startsWith("app.downloads.") || input === undefined,
});
createMixedHttpClient({ baseUrl: "/__runner", forceSmart: true });

for (const client of [smart, mixed]) {
  // A stream comes back as a stream; the other forms say what comes back.
  expectTypeOf(client.task("t", Readable.from("hello"))).toEqualTypeOf<Promise<Readable>>();
  expectTypeOf(client.task("t", new Blob().stream())).toEqualTypeOf<Promise<Readable>>();
  expectTypeOf(client.task<Readable, number>("t", Readable.from("hello"))).toEqualTypeOf<Promise<number>>();
  expectTypeOf(client.task<{ a: number }, number>("t", { a: 1 })).toEqualTypeOf<Promise<number>>();
  expectTypeOf(client.task("t", { a: 1 })).toEqualTypeOf<Promise<unknown>>();
  expectTypeOf(client.task("t")).toEqualTypeOf<Promise<unknown>>();
  expectTypeOf(client.eventWithResult?.("e", { m: 1 })).toEqualTypeOf<Promise<{ m: number }>>();
  expectTypeOf(client).toExtend<TunnelClient & AsyncDisposable>();
}

const resStream = await mixed.task("app.tasks.duplex", Readable.from("hello world"));
resStream.on("data", (c) => process.stdout.write(c));

const file = createNodeFile({ name: "a.bin", type: "x/y" }, { stream: Readable.from([Buffer.from("hello")]) }, "F1");
expectTypeOf(file.$runnerFile).toEqualTypeOf<"File">();
expectTypeOf(file._node.stream).toEqualTypeOf<Readable>();
expectTypeOf(createFile({ name: "a.bin" }, new Blob(["x"]))._web.blob).toEqualTypeOf<Blob>();
expectTypeOf(createFile({ name: "a.bin" }, { buffer: Buffer.from("x") })._node.buffer).toExtend<Uint8Array>();
// @ts-expect-error -- a file needs a name
createNodeFile({}, { buffer: Buffer.from("x") });

// What makes a file for an input makes an input file: a call with one compiles wherever the task runs.
declare const upload: (input: { report: InputFile<Readable> }) => Promise<number>;
declare const uploadAnywhere: (input: { report: InputFile }) => Promise<number>;
void upload({ report: createNodeFile({ name: "a.bin" }, { buffer: Buffer.from("x") }) });
void uploadAnywhere({ report: createFile({ name: "a.bin" }, new Blob(["x"])) });
