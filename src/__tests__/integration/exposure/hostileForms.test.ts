import { r } from "../../../node/index";
import {
  boundary,
  filePart,
  formHeaders,
  formOf,
  manifestPart,
  sentinel,
  startExposure,
  type TestExposure,
} from "../../support/exposure";
import { startFetchEdge } from "../../support/fetchEdge";

/** Forms that no client would send. Of each: it is answered, and the edge goes on serving. */

const echo = r
  .task("echo")
  .run(async (input: unknown) => input)
  .build();
const path = "/__runner/task/echo";

describe.each([
  ["nodeExposure", startExposure],
  ["fetchExposure", startFetchEdge],
] as const)("hostile forms, at %s", (edge, start) => {
  const title = (what: string): string => `${what}, at ${edge}`;
  let exposure: Pick<TestExposure, "app" | "post">;
  beforeAll(async () => {
    exposure = await start([echo], { limits: { multipart: { parts: 2000, files: 2000, fields: 2000 } } });
  });
  afterAll(() => exposure.app.dispose());
  afterEach(async () => {
    const reply = await exposure.post(path, '{"input":"alive"}');
    expect(await reply.json()).toEqual({ ok: true, result: "alive" });
  });
  const post = async (body: Buffer, contentType: string = formHeaders["content-type"]) => {
    const reply = await exposure.post(path, body, { "content-type": contentType });
    return { status: reply.status, text: await reply.text() };
  };

  it(title("a form of a thousand parts is read in one go"), async () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `F${index}`);
    const form = formOf(manifestPart({ count: ids.length }), ...ids.map((id) => filePart(id, "x")));

    expect(await post(form)).toEqual({ status: 200, text: '{"ok":true,"result":{"count":1000}}' });
  });

  it.each([
    ["a boundary that never comes", "multipart/form-data; boundary=OTHER"],
    ["an empty boundary", "multipart/form-data; boundary="],
    ["no boundary", "multipart/form-data"],
    ["a boundary beyond all bounds", `multipart/form-data; boundary=${"b".repeat(2000)}`],
  ])(title("a form with %s is refused"), async (_what, contentType) => {
    expect((await post(formOf(manifestPart(1)), contentType)).status).toBe(400);
  });

  it.each([
    ["a part without name", `--${boundary}\r\nContent-Disposition: form-data\r\n\r\nx\r\n--${boundary}--\r\n`],
    ["a part without headers", `--${boundary}\r\n\r\nx\r\n--${boundary}--\r\n`],
    ["a part of broken headers", `--${boundary}\r\n: : :\r\n\r\nx\r\n--${boundary}--\r\n`],
    ["nothing between its boundaries", `--${boundary}--\r\n`],
  ])(title("a form with %s is refused"), async (_what, body) => {
    expect((await post(Buffer.from(body))).status).toBe(400);
  });

  it.each(["toString", "__proto__", "constructor"])(
    title("a form with a file called %s pollutes nothing"),
    async (id) => {
      const form = formOf(manifestPart({ [id]: 1, n: 1 }), filePart(id, "x"));

      const { text } = await post(form);

      expect(text).toContain('"n":1');
      expect(({} as Record<string, unknown>)["n"]).toBe(undefined);
    },
  );

  it.each([
    ["meta that is null", { $runnerFile: "File", id: "F1", meta: null }],
    ["meta that is text", { $runnerFile: "File", id: "F1", meta: "x" }],
    ["a size below zero", { $runnerFile: "File", id: "F1", meta: { size: -1 } }],
    ["a size that is no number of bytes", { $runnerFile: "File", id: "F1", meta: { size: 1.5, lastModified: "now" } }],
    ["facts of the wrong type", { $runnerFile: "File", id: "F1", meta: { name: 5, size: "big", extra: [] } }],
  ])(title("a form with %s is read for what it is worth"), async (_what, file) => {
    const { status, text } = await post(formOf(manifestPart({ file }), filePart("F1", "x")));

    expect(status).toBe(200);
    expect(text).toContain('"name":"F1.bin"');
    expect(text).not.toMatch(/"size":[-\d]/);
  });

  it(title("a form cut at any byte is answered"), async () => {
    const form = formOf(manifestPart({ file: sentinel("F1") }), filePart("F1", "content"));
    const cuts = Array.from({ length: form.length - 4 }, (_, index) => index);

    const statuses = new Set<number>();
    for (const cut of cuts) statuses.add((await post(form.subarray(0, cut))).status);

    expect([...statuses]).toEqual([400]);
  });
});
