import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { nodeExposure, r, run } from "@bluelibs/runner/node";

const soldOut = r.error<{ count: number }>("app.errors.soldOut").httpCode(409).build();
const add = r
  .task("app.add")
  .run(async ({ a, b }: { a: number; b: number }) => a + b)
  .build();
const buy = r
  .task("app.buy")
  .run(async ({ count }: { count: number }) => soldOut.throw({ count }))
  .throws([soldOut])
  .build();
const rows = r
  .task("app.rows")
  .stream(async function* ({ to }: { to: number }) {
    for (let id = 1; id <= to; id += 1) yield { id, name: `ü${id}` };
  })
  .build();
const placed = r.event<{ order: number }>("app.placed").build();
const place = r
  .task("app.place")
  .dependencies({ placed })
  .run(async ({ order }: { order: number }, dependencies) => dependencies.placed({ order }))
  .build();

it("a client in Python, of its standard library alone, calls tasks, knows their errors and reads items and events", async () => {
  const tasks = [add, buy, rows, place];
  const exposure = nodeExposure.with({
    http: { listen: { port: 0 }, auth: { token: "s3cret" }, drain: { quietMs: 0 } },
  });
  const tunnel = r.tunnel.server("app.tunnel").tasks(tasks).subscribable([placed]).build();
  const app = await run(
    r
      .resource("app")
      .register([...tasks, placed, soldOut, tunnel, exposure])
      .build(),
    { shutdownHooks: false, errorBoundary: false },
  );
  try {
    const address = app.getResourceValue(nodeExposure).server?.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const program = join(__dirname, "example.py");
    const { stdout } = await promisify(execFile)("python3", [program, `http://127.0.0.1:${port}/__runner`, "s3cret"], {
      env: { ...process.env, PYTHONIOENCODING: "utf-8", PYTHONDONTWRITEBYTECODE: "1" },
    });
    expect(stdout.trim().split("\n")).toEqual([
      "sum 3",
      "declared 409 app.errors.soldOut 3",
      "row 1 ü1",
      "row 2 ü2",
      "row 3 ü3",
      "refused 406 NOT_ACCEPTABLE",
      "event app.placed 7",
    ]);
  } finally {
    await app.dispose();
  }
});
