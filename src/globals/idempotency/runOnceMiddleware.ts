import { defineTaskMiddleware } from "../../define/createMiddleware";
import { takesItems } from "../../define/itemInput";
import { idempotent } from "../../tunnels/routing/idempotency";
import { assertKeyed, replayWatch, type Idempotency } from "../../tunnels/server/runOnce";
import { alsoBuiltin } from "../lateBuiltins";
import { idempotency } from "./idempotency";

/** Has tasks run once for each key that their tag makes of an input, for callers of this process and of others. */
export const runOnceMiddleware = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ defineTaskMiddleware({
    id: "globals.middleware.runOnce",
    everywhere: (task) => idempotent.extract(task)?.key !== undefined,
    dependencies: { idempotency },
    async run({ task, next, signal, name, journal }, deps: { readonly idempotency: Idempotency }) {
      const { definition, input } = task;
      const key: unknown = idempotent.extract(definition)?.key?.(input);
      assertKeyed(definition, { key, hasItems: takesItems(definition) });
      const onReplayed = journal.get(replayWatch);
      const call = { taskId: definition.id, caller: name, key: key as string, input, signals: [signal], onReplayed };
      return deps.idempotency.run(call, definition, (own) => next(input, { signal: own, detached: true }));
    },
  }),
);
