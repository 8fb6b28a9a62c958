import { Readable } from "node:stream";
import { r, respondStream } from "../../node/index";
import { watchUncaught } from "../support/calm";
import { rejectionOf } from "../support/failures";
import { startExposure, type TestExposure } from "../support/exposure";
import { soon } from "../support/soon";

const task = (id: string, body: (input: unknown) => unknown) =>
  r
    .task(id)
    .run(async (input: unknown): Promise<unknown> => body(input))
    .build();

/** A failing version leaves its caller waiting; disposal then cuts what it waits for. */
const limits = { closeMs: 500 };

const brokenLogs = ({ logs }: TestExposure) => logs.filter(({ message }) => message === "exposure.http.broken");

describe("a stream of things that are no bytes", () => {
  it.each<[string, () => unknown]>([
    ["a returned one of objects", () => Readable.from([{ a: 1 }])],
    ["one of numbers with a head", () => ({ stream: Readable.from([1, 2]) })],
    ["one that a task responds with", () => respondStream(Readable.from([{}]))],
  ])("cuts the reply and spares the process: %s", async (_kind, make) => {
    using calm = watchUncaught();
    await using exposure = await startExposure([task("odd", make)], { limits });

    const error = await rejectionOf(soon(exposure.post("/__runner/task/odd").then((reply) => reply.text())));

    expect(error.message).toMatch(/^(fetch failed|terminated)$/);
    expect(brokenLogs(exposure).map(({ data }) => (data as { error: string }).error)).toEqual([
      expect.stringContaining("A streamed result may yield bytes or text"),
    ]);
    expect(calm.seen).toEqual([]);
  });

  it("does not mean one of text, which counts chunks as objects, too", async () => {
    const text = task("text", () => Readable.from(["tex", Buffer.from("t")]));
    await using exposure = await startExposure([text], { limits });

    expect(await (await exposure.post("/__runner/task/text")).text()).toBe("text");
  });
});
