import { globals, r } from "../../node";
import { createNatsClient } from "../../node/nats/client/natsClient";
import { resolveConnectionConfig } from "../../node/nats/connectionConfig";
import { NatsLink } from "../../node/nats/link";
import { rejectionOf } from "../support/failures";
import { createCleanups } from "./support/cleanups";
import { startNatsServer } from "./support/natsServer";
import { startServing } from "./support/startServing";

const cleanups = createCleanups();
afterEach(() => cleanups.run());

it("a validator task decides over each call, by the headers that the message brings", async () => {
  const broker = await cleanups.starting(startNatsServer());
  const ran: string[] = [];
  const pay = r
    .task("billing.pay")
    .run(async (input: string, _deps, { name }) => {
      ran.push(input);
      return name;
    })
    .build();
  const seen: unknown[] = [];
  const validator = r
    .task("billing.validator")
    .tags([globals.tags.authValidator])
    .run(async ({ headers, method, path }) => {
      seen.push({ token: headers["x-runner-token"], method, path });
      return headers["x-runner-token"] === "of ada" ? { ok: true, name: "ada" } : { ok: false };
    })
    .build();
  await cleanups.starting(startServing(broker.url, [pay, validator], { auth: {} }));
  const link = await NatsLink.open(resolveConnectionConfig({ servers: broker.url }));
  cleanups.add(() => link.close());
  const clientOf = (token: string) => createNatsClient({ link, namespace: "acme", auth: { token }, offlineMs: 1000 });

  const accepted = await clientOf("of ada").task("billing.pay", "accepted");
  const refused = await rejectionOf(clientOf("guessed").task("billing.pay", "refused"));

  expect(accepted).toBe("ada");
  expect(refused).toMatchObject({ code: "UNAUTHORIZED" });
  expect(ran).toEqual(["accepted"]);
  const where = { method: "POST", path: "/task/billing.pay" };
  expect(seen).toEqual([
    { token: "of ada", ...where },
    { token: "guessed", ...where },
  ]);
});
