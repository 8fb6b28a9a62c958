import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { buildTimeoutMs, ensureBuilt } from "../../../__tests__/support/ensureBuilt";
import { startExposure, token, type TestExposure } from "../../../__tests__/support/exposure";
import { runRunner } from "../../../__tests__/support/runnerCommand";
import { createTempProject } from "../../../__tests__/support/tempProject";
import { r } from "../../index";

const sum = r
  .task("shop.tasks.sum")
  .itemInput(z.object({ price: z.number() }))
  .run(async (input: { label: string }, _deps, { items }) => {
    let total = 0;
    for await (const { price } of items) total += price;
    return { ...input, total };
  })
  .build();
const echo = r
  .task("shop.tasks.echo")
  .itemInput(z.object({ price: z.number() }))
  .stream(async function* (_input: void, _deps, { items }) {
    for await (const { price } of items) yield { price };
  })
  .itemSchema(z.object({ price: z.number() }))
  .build();
const plain = r
  .task("shop.tasks.plain")
  .run(async () => "plain")
  .build();
const placed = r
  .event("shop.events.placed")
  .payloadSchema(z.object({ amount: z.number(), currency: z.string().default("EUR") }))
  .build();
const shipped = r
  .event("shop.events.shipped")
  .payloadSchema(z.object({ parcel: z.string() }))
  .build();
const heard = r.tunnel.server("shop.heard").subscribable([placed, shipped]).build();

const env = { RUNNER_TOKEN: token };
const urlOf = ({ port }: TestExposure): string => `http://127.0.0.1:${port}/__runner`;
const start = (contract?: "schemas") => startExposure([sum, echo, plain, placed], { contract }, [shipped, heard]);
const call = (exposure: TestExposure, id: string, args: readonly string[], input?: string) =>
  runRunner(["call", urlOf(exposure), id, ...args], { env, ...(input !== undefined && { input }) });

beforeAll(ensureBuilt, buildTimeoutMs);

describe("runner ls", () => {
  it("shows the items that tasks take beside their input, and what of events may be emitted and heard", async () => {
    await using exposure = await start("schemas");
    const people = await runRunner(["ls", urlOf(exposure)], { env });
    const programs = await runRunner(["ls", urlOf(exposure), "--json"], { env });
    const rows = people.stdout
      .trim()
      .split("\n")
      .map((line) => line.split(/ {2,}/));

    expect(rows).toEqual([
      ["KIND", "ID", "MAY", "TAKES", "GIVES"],
      ["task", "shop.tasks.sum", "call", "any + { price: number }...", "any"],
      ["task", "shop.tasks.echo", "call", "any + { price: number }...", "{ price: number }..."],
      ["task", "shop.tasks.plain", "call", "any", "any"],
      [
        "event",
        "shop.events.placed",
        "emit, subscribe",
        "{ amount: number, currency?: string }",
        "{ amount: number, currency: string }...",
      ],
      ["event", "shop.events.shipped", "subscribe", "-", "{ parcel: string }..."],
    ]);
    expect(
      programs.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([
      { id: "shop.tasks.sum", itemInput: { required: ["price"] } },
      { id: "shop.tasks.echo", itemInput: {}, items: {} },
      { id: "shop.tasks.plain" },
      { kind: "event", id: "shop.events.placed", access: ["emit", "subscribe"], payload: {}, heard: {} },
      { kind: "event", id: "shop.events.shipped", access: ["subscribe"], payload: { required: ["parcel"] } },
    ]);
  });

  it("says what may be heard of a server that shows no schemas as well", async () => {
    await using exposure = await start();
    const { stdout } = await runRunner(["ls", urlOf(exposure), "--json"], { env });

    expect(stdout).toContain('{"kind":"event","id":"shop.events.shipped","access":["subscribe"]}\n');
  });
});

describe("runner call --items", () => {
  const lines = '{"price":1}\n\n{"price":2}\r\n{"price":4}';

  it("sends the lines of a file or of standard input as items", async () => {
    await using exposure = await start();
    const project = createTempProject({});
    const path = join(project.folder, "items.ndjson");
    writeFileSync(path, lines);
    const [ofFile, piped] = await Promise.all([
      call(exposure, sum.id, ['{"label":"a"}', "--items", path]),
      call(exposure, sum.id, ['{"label":"b"}', "--items", "-"], lines),
    ]);
    project.remove();

    expect([ofFile.exitCode, JSON.parse(ofFile.stdout)]).toEqual([0, { label: "a", total: 7 }]);
    expect([piped.exitCode, JSON.parse(piped.stdout)]).toEqual([0, { label: "b", total: 7 }]);
  });

  it("sends all of them to a task that streams as well, which is known only once it was called", async () => {
    await using exposure = await start();
    const prices = Array.from({ length: 20_000 }, (_, price) => `{"price":${price}}\n`).join("");
    const { exitCode, stdout } = await call(exposure, echo.id, ["--items", "-"], prices);

    expect([exitCode, stdout]).toEqual([0, prices]);
  });

  it.each<[string, string, readonly string[], string, number, string]>([
    ["a line is no JSON", sum.id, ["--items", "-"], '{"price":1}\nno', 2, "Line 2 of standard input is no JSON"],
    ["the task refuses one", sum.id, ["--items", "-"], '{"price":"x"}', 1, "expected number, received string"],
    ["the task takes none", plain.id, ["--items", "-"], "1", 1, "takes no items"],
    ["none are given", sum.id, [], "", 2, "give them by --items <path>"],
    ["there is no such file", sum.id, ["--items", "missing.ndjson"], "", 2, '--items "missing.ndjson" cannot be read'],
    ["it is a folder", sum.id, ["--items", "."], "", 2, "it is a directory"],
    ["standard input is the input already", sum.id, ["-", "--items", "-"], "1", 2, "and not both"],
  ])("says so where %s", async (_name, id, args, input, exitCode, message) => {
    await using exposure = await start();
    const failed = await call(exposure, id, args, input);

    expect([failed.exitCode, failed.stdout, failed.stderr]).toEqual([exitCode, "", expect.stringContaining(message)]);
  });
});
