import { createHttpClient, createHttpMixedClient, createHttpSmartClient, createNodeFile, r } from "../../../node";
import { createFile } from "../../../platform/createFile";
import { startExposure, token } from "../../support/exposure";

const names = [
  "a\\",
  'a"b',
  'a\\"',
  "a\0b",
  "a\r\nb: c",
  "a\tb",
  "é ☕.txt",
  "a;b=c.txt",
  "%0A%22",
  "../../x",
  "a'b",
  "\ud800",
];
const ids = ["a\\", 'a"b', "a\0b", "a\r\nb", "é☕", "a b", "%22", "", "x".repeat(300), "\ud800", "a;b"];

const clients = [
  ["createHttpClient", createHttpClient, (name: string, id: string) => createFile({ name }, new Blob(["bytes"]), id)],
  [
    "Smart",
    createHttpSmartClient,
    (name: string, id: string) => createNodeFile({ name }, { buffer: Buffer.from("bytes") }, id),
  ],
  ["Mixed", createHttpMixedClient, (name: string, id: string) => createFile({ name }, new Blob(["bytes"]), id)],
] as const;

const receive = r
  .task("app.receive")
  .run(async ({ file }: { file: { name: string; stream(): AsyncIterable<Uint8Array> } }) => {
    let bytes = 0;
    for await (const chunk of file.stream()) bytes += chunk.byteLength;
    return { name: file.name, bytes };
  })
  .build();

it.each(clients)("files arrive whatever their names and ids hold: %s", async (_name, create, fileOf) => {
  await using exposure = await startExposure([receive]);
  const client = create({ baseUrl: `http://127.0.0.1:${exposure.port}/__runner`, auth: { token } });
  const send = (name: string, id: string) => client.task<unknown, unknown>(receive.id, { file: fileOf(name, id) });

  for (const name of names) expect(await send(name, "F1")).toEqual({ name, bytes: 5 });
  for (const id of ids) expect(await send("plain", id)).toEqual({ name: "plain", bytes: 5 });
  await client.close();
});

it.each(clients)("files of one call keep apart, whatever their ids hold: %s", async (_name, create, fileOf) => {
  const pair = r
    .task("app.pair")
    .run(async (files: Record<string, { name: string }>) => Object.values(files).map(({ name }) => name))
    .build();
  await using exposure = await startExposure([pair]);
  const client = create({ baseUrl: `http://127.0.0.1:${exposure.port}/__runner`, auth: { token } });

  const input = { a: fileOf("a", 'x"'), b: fileOf("b", "x\\"), c: fileOf("c", "~1"), d: fileOf("d", "x") };

  expect(await client.task<unknown, unknown>(pair.id, input)).toEqual(["a", "b", "c", "d"]);
  await client.close();
});
