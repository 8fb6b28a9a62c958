import { CancellationError, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

const events = ["uncaughtException", "unhandledRejection", "SIGINT", "SIGTERM"] as const;
const counts = () => events.map((event) => process.listenerCount(event));

it("any number of runs add one listener per process event, and the last one takes them away", async () => {
  const before = counts();

  const apps = await Promise.all([run(appOf()), run(appOf()), run(appOf())]);
  const during = counts();
  await Promise.all(apps.map((app) => app.dispose()));

  expect(during).toEqual(before.map((count) => count + 1));
  expect(counts()).toEqual(before);
});

it("a boot that fails and a dry run leave no listener behind", async () => {
  const before = counts();

  await rejectionOf(
    run(
      r
        .resource("app")
        .init(() => Promise.reject(new Error("boom")))
        .build(),
    ),
  );
  await run(appOf(), { dryRun: true });

  expect(counts()).toEqual(before);
});

it("errorBoundary: false and shutdownHooks: false add none", async () => {
  const before = counts();

  await using app = await run(appOf(), { errorBoundary: false, shutdownHooks: false });

  expect(app.store.isLocked).toBe(true);
  expect(counts()).toEqual(before);
});

it("reports reach every run that is alive, and no other", async () => {
  const heard: string[] = [];
  const listening = (name: string) =>
    run(appOf(), { onUnhandledError: ({ kind }) => void heard.push(`${name} ${kind}`) });
  const [first, second] = [await listening("first"), await listening("second")];
  const report = () => process.listeners("unhandledRejection").at(-1)?.("reason", Promise.resolve());

  report();
  await first.dispose();
  report();
  await second.dispose();

  expect(heard).toEqual(["first process", "second process", "second process"]);
});

it("a signal while an application boots rejects its run with the signal as reason, then exits with 0", async () => {
  const exit = jest.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const dispose = jest.fn(async () => {});
  const signalled = r
    .resource("signalled")
    .init(async () => void process.emit("SIGTERM"))
    .dispose(dispose)
    .build();

  const error = await rejectionOf(run(appOf(signalled)));
  await new Promise(setImmediate);

  expect(error).toBeInstanceOf(CancellationError);
  expect(error).toMatchObject({ data: { reason: "SIGTERM" } });
  expect(dispose).toHaveBeenCalledTimes(1);
  expect(exit.mock.calls).toEqual([[0]]);
  exit.mockRestore();
});
