import { callSampler } from "../lib/callSampler.mjs";
import { runOptions } from "../lib/runOptions.mjs";

const id = "app.tasks.add";
const input = { a: 1, b: 2 };

/** A client without a network: what is left is what routing costs. */
const client = { task: async (_id, { a, b }) => a + b, event: async () => {} };

/** What the caller adds to a call, by row. Absent in 5.5, but for the first. */
const options = {
  plain: undefined,
  signal: { signal: new AbortController().signal },
  deadline: { timeoutMs: 60_000 },
};

/** Ways to call by that client, for a build of the runner, whichever version it is. */
export async function startCalls({ r, run, globals }, way, row) {
  const given = options[row];
  if (way === "direct") return sampled(() => client.task(id, input, given));

  const add = r.task.phantom(id).build();
  const outer = r
    .task("app.tasks.outer")
    .dependencies({ add })
    .run(async (value, deps) => deps.add(value))
    .build();
  const tunnel = r
    .resource("app.tunnels.remote")
    .tags([globals.tags.tunnel])
    .init(async () => ({
      mode: "client",
      transport: "http",
      tasks: [id],
      run: async (task, value, call) => client.task(task.id, value, call),
    }))
    .build();
  const app = await run(r.resource("app").register([add, outer, tunnel]).build(), runOptions);
  const task = way === "nested" ? outer : add;
  return sampled(() => app.runTask(task, input, given));
}

async function sampled(call) {
  if ((await call()) !== 3) throw new Error("The call does not give 3.");
  return callSampler(call);
}
