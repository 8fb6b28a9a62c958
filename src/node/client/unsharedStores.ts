import { defineResourceMiddleware } from "../../define/createMiddleware";
import { isPhantomTask, type ITask } from "../../define/task";
import { isMemoryStore } from "../../globals/idempotency/memoryStore";
import { logger as loggerHandle, store as storeHandle } from "../../globals/resources/handles";
import { idempotent } from "../../tunnels/routing/idempotency";
import { pick } from "../../tunnels/routing/selectors";
import type { TunnelRunner } from "../../tunnels/routing/tags";
import { isTunnelResource } from "../../tunnels/routing/tunnelResource";
import type { EndpointList } from "./clientOver";

/** Tells of tasks whose calls with a key go to several servers, each of which remembers keys by itself. */
export const unsharedStores = /* @__PURE__ */ (() =>
  defineResourceMiddleware({
    id: "globals.middleware.resource.unsharedStores",
    everywhere: isTunnelResource,
    dependencies: { store: storeHandle, logger: loggerHandle },
    async run({ next }, { store, logger }) {
      const value: unknown = await next();
      const tunnel = (typeof value === "object" ? value : undefined) as TunnelRunner | undefined;
      const endpoints = (tunnel?.client as Partial<EndpointList> | undefined)?.endpoints?.();
      // Of none it is not known yet how many there are.
      if (endpoints === undefined || endpoints.length === 1) return value;
      const registered = new Map([...store.tasks].map(([id, { task }]) => [id, task]));
      for (const task of pick(tunnel?.tasks, registered, { onUnknown() {}, onFailed() {} })) {
        if (isUnshared(task)) void logger.warn(warningOf(task.id));
      }
      return value;
    },
  }))();

/** Whether the servers of a task cannot share what they remember, as far as its definition tells. */
function isUnshared(task: ITask): boolean {
  const { key, store } = idempotent.extract(task) ?? {};
  if (store !== undefined) return isMemoryStore(store);
  // Of a task that is defined elsewhere, the store is named there.
  return key !== undefined && !isPhantomTask(task);
}

const warningOf = (id: string): string =>
  `Task "${id}" is called at several endpoints, and each server remembers its keys by itself: a repetition that reaches ` +
  "another one runs again.\n  fix: give its tag globals.tags.idempotent a store that all servers share, see readmes/IDEMPOTENCY.md";
