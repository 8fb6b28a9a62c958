import { filePart, formHeaders, formOf, manifestPart } from "../../edge/forms";
import { edgeToken, startEdge, tasks } from "../../edge/edgeApp";

let served: Awaited<ReturnType<typeof startEdge>>;
beforeAll(async () => void (served = await startEdge()));
afterAll(() => served.dispose());

const post = async (id: string, body: BodyInit, headers: Record<string, string> = {}) => {
  const request = new Request(`http://edge.test/__runner/task/${id}`, {
    method: "POST",
    headers: { "x-runner-token": edgeToken, ...headers },
    body,
  });
  const reply = await served.edge.fetch(request);
  return { status: reply.status, text: await reply.text() };
};

it("a fetch edge refuses JSON that is nested without end, and goes on", async () => {
  const reply = await post(tasks.echo.id, `{"input":${"[".repeat(200_000)}${"]".repeat(200_000)}}`);

  expect(reply.status).toBe(400);
  expect(await post(tasks.echo.id, '{"input":1}')).toEqual({ status: 200, text: '{"ok":true,"result":1}' });
});

it("a fetch edge lets no input reach a prototype", async () => {
  await post(tasks.echo.id, '{"input":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}');

  expect(({} as Record<string, unknown>)["polluted"]).toBe(undefined);
});

it.each(["toString", "__proto__", "constructor"])("a fetch edge takes a form with a file called %s", async (id) => {
  const form = formOf(manifestPart({ [id]: 1, n: 1 }), filePart(id, "x"));

  const reply = await post(tasks.echo.id, form, formHeaders);

  expect(reply.text).toContain('"n":1');
  expect(({} as Record<string, unknown>)["n"]).toBe(undefined);
});

it.each([
  ["a part of broken headers", "--edge-boundary\r\n: : :\r\n\r\nx\r\n--edge-boundary--\r\n"],
  ["nothing between its boundaries", "--edge-boundary--\r\n"],
])("a fetch edge refuses a form with %s", async (_what, body) => {
  expect((await post(tasks.echo.id, body, formHeaders)).status).toBe(400);
});
