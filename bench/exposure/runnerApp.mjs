import { runOptions } from "../lib/runOptions.mjs";
import { inspect, report, token } from "./payload.mjs";

/** How callers are known, beside the one token that all versions have. Each ends with the token of the bench. */
const authOf = {
  token: () => ({ auth: { token }, items: [] }),
  /** A hundred callers with names, lists and principals; the last one calls. */
  tokens: ({ r }) => {
    const principal = r.asyncContext("app.contexts.caller").build();
    const tokens = Array.from({ length: 100 }, (_, i) => ({
      token: i === 99 ? token : `token-${i}`,
      name: `caller-${i}`,
      principal: { id: i },
      tasks: ["app.tasks.add", "app.tasks.inspect"],
    }));
    return { auth: { tokens, principal, required: true }, items: [principal] };
  },
  /** A validator task of the application. */
  validator: ({ r, globals }) => {
    const principal = r.asyncContext("app.contexts.caller").build();
    const caller = { id: 1 };
    const validator = r
      .task("app.auth.validator")
      .tags([globals.tags.authValidator])
      .run(async ({ headers }) => ({ ok: headers["x-runner-token"] === token, name: "caller", principal: caller }))
      .build();
    return { auth: { principal, required: true }, items: [principal, validator] };
  },
};

/** An application that exposes `tasks` tasks by id, with a build of the runner, whichever version it is. */
export async function startExposure(
  { r, run, globals, nodeExposure, Serializer },
  { tasks, auth: kind = "token", metrics },
) {
  const add = r
    .task("app.tasks.add")
    .run(async ({ a, b }) => a + b)
    .build();
  const inspectReport = r
    .task("app.tasks.inspect")
    .run(async (input) => inspect(input))
    .build();
  const others = Array.from({ length: tasks - 2 }, (_, i) =>
    r
      .task(`app.tasks.other${i}`)
      .run(async () => i)
      .build(),
  );
  const exposed = [...others, add, inspectReport];
  const tunnel = r
    .resource("app.tunnels.exposed")
    .tags([globals.tags.tunnel])
    .init(async () => ({ transport: "http", mode: "server", tasks: exposed.map(({ id }) => id), events: [] }))
    .build();

  const { auth, items } = authOf[kind]({ r, globals });
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth, metrics } });
  const app = await run(
    r
      .resource("app")
      .register([...exposed, ...items, tunnel, exposure])
      .build(),
    runOptions,
  );

  const { server } = app.getResourceValue(nodeExposure);
  // As the other servers: a timer for each reply costs more than what is compared here.
  server.keepAliveTimeout = 0;

  const serializer = new Serializer();
  const request = (id, input) => ({
    path: `/__runner/task/${id}`,
    headers: { "x-runner-token": token },
    body: serializer.stringify({ input }),
  });
  return {
    port: server.address().port,
    requests: { add: request(add.id, { a: 1, b: 2 }), dates: request(inspectReport.id, report()) },
  };
}
