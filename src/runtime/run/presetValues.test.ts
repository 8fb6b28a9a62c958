import { frameworkResource } from "../../globals/frameworkResource";
import type { ILog } from "../../globals/resources/logger";
import { r } from "../../define/r";
import { run } from "../../run";

const endingWith = (id: string, dispose: () => Promise<void>) =>
  frameworkResource(id, {
    value(scope) {
      scope.onDispose(dispose);
      return id;
    },
  });

it("presetValues reports what fails to end with the run, and ends the rest", async () => {
  const log: ILog[] = [];
  const ended = jest.fn(async () => {});
  const app = await run(r.resource("app").build());
  app.logger.onLog((each) => void log.push(each));
  app.getResourceValue(endingWith("rejecting", () => Promise.reject(new Error("stuck"))));
  app.getResourceValue(
    endingWith("throwing", () => {
      throw new Error("broken");
    }),
  );
  app.getResourceValue(endingWith("obedient", ended));

  await app.dispose();

  expect(log).toMatchObject([
    { level: "error", source: "run", error: { message: "stuck" } },
    { level: "error", source: "run", error: { message: "broken" } },
  ]);
  expect(ended).toHaveBeenCalledTimes(1);
});
