import { defineTaskMiddleware } from "../../define/middleware";
import { idempotencyUnsupportedError } from "../../errors/idempotencyErrors";
import { idempotent } from "../../tunnels/routing/idempotency";
import { isKey, notAKey, type Idempotency } from "../../tunnels/server/runOnce";
import { alsoBuiltin } from "../lateBuiltins";
import { idempotency } from "./idempotency";

/** Has tasks run once for each key that their tag makes of an input, for callers of this process and of others. */
export const runOnceMiddleware = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ defineTaskMiddleware({
    id: "globals.middleware.runOnce",
    everywhere: (task) => idempotent.extract(task)?.key !== undefined,
    dependencies: { idempotency },
    async run({ task, next, signal, name }, deps: { readonly idempotency: Idempotency }) {
      const { definition, input } = task;
      const key: unknown = idempotent.extract(definition)?.key?.(input);
      if (!isKey(key)) throw idempotencyUnsupportedError.create({ taskId: definition.id, reason: notAKey });
      const call = { taskId: definition.id, caller: name, key, input, signals: [signal] };
      return deps.idempotency.run(call, definition, (own) => next(input, { signal: own, detached: true }));
    },
  }),
);
