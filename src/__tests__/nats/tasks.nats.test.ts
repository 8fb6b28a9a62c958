import { r, run, TunnelError, type RegisterableItems } from "../../node";
import {
  natsClient,
  natsConnection,
  natsExposure,
  type NatsClientConfig,
  type NatsExposureConfig,
} from "../../node/nats";
import { rejectionOf } from "../support/failures";
import { startNatsServer, type NatsServer } from "./support/natsServer";

const quiet = { shutdownHooks: false, errorBoundary: false, logs: { printThreshold: null } } as const;
const token = "s3cret";

let broker: NatsServer;
beforeAll(async () => void (broker = await startNatsServer()));
afterAll(() => broker[Symbol.asyncDispose]());

/** What a test has started. */
const started: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each[Symbol.asyncDispose]();
});
async function starting<T extends AsyncDisposable>(boot: Promise<T>): Promise<T> {
  const app = await boot;
  started.push(app);
  return app;
}

const double = r
  .task("math.double")
  .run(async (n: number) => n * 2)
  .build();

function startWorker(items: RegisterableItems[], exposure: Partial<NatsExposureConfig> = {}) {
  return starting(
    run(
      r
        .resource("worker")
        .register([
          ...items,
          r.tunnel
            .server("worker.reachable")
            .tasks((task) => task.id.startsWith("math."))
            .build(),
          natsConnection.with({ servers: broker.url }),
          natsExposure.with({ namespace: "acme", group: "math", auth: { token }, ...exposure }),
        ])
        .build(),
      quiet,
    ),
  );
}

async function startCaller(client: Partial<NatsClientConfig> = {}) {
  const remote = r
    .task("math.double")
    .run(async (n: number): Promise<number> => n)
    .build();
  const tunnel = r.tunnel
    .client("caller.math")
    .tasks([remote])
    .connect(natsClient({ namespace: "acme", auth: { token }, ...client }))
    .build();
  const app = await starting(
    run(
      r
        .resource("caller")
        .register([remote, tunnel, natsConnection.with({ servers: broker.url })])
        .build(),
      quiet,
    ),
  );
  return { app, double: (n: number) => app.runTask(remote, n) };
}

it("a task that a tunnel routes over NATS runs in the process that serves it", async () => {
  await startWorker([double]);
  const { double: call } = await startCaller();

  expect(await call(21)).toBe(42);
});

it("a call that no worker listens to fails at once, and says that it was not delivered", async () => {
  const { double: call } = await startCaller({ timeoutMs: 600_000 });
  let timer: NodeJS.Timeout | undefined;
  // Far longer than a broker takes to say so, and far shorter than the time of the call.
  const late = new Promise<Error>((resolve) => (timer = setTimeout(() => resolve(new Error("nothing")), 20_000)));

  const error = await Promise.race([rejectionOf(call(1)), late]).finally(() => clearTimeout(timer));

  expect(error).toBeInstanceOf(TunnelError);
  expect(error).toMatchObject({ code: "NO_RESPONDER", details: { delivered: "no" } });
});
