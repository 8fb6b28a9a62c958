import { measureClient } from "./callLoop.mjs";

/** What all clients of the runner are made with. */
export const clientOptions = ({ port }, { Serializer }) => ({
  baseUrl: `http://127.0.0.1:${port}/__runner`,
  auth: { token: "dev-secret" },
  serializer: new Serializer(),
});

export const measureRunnerClient = (client) => measureClient(() => client.task("app.tasks.add", { a: 1, b: 2 }));
