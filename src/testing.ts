import type { RegisterableItems } from "./define/resource";
import { createResource } from "./define/createResource";
import type { IResource, OverridableElements } from "./define/resource";
import type { ITask } from "./define/task";
import { eventManager, logger, store, taskRunner } from "./globals/resources/handles";
import type { Logger } from "./globals/resources/logger";
import type { EventManager } from "./runtime/events/eventManager";
import type { TaskRunner } from "./runtime/run/presets";
import type { RunTaskArgs, TaskInputOf, TaskResultOf } from "./runtime/run/runResult";
import type { Store } from "./runtime/run/store";

/** What a test holds of the application under test. */
export interface TestFacade {
  runTask<T extends ITask>(task: T, ...args: RunTaskArgs<TaskInputOf<T>>): Promise<TaskResultOf<T>>;
  /** The value of a resource; `undefined` when there is none of that id. */
  getResource(id: string): unknown;
  readonly taskRunner: TaskRunner;
  readonly store: Store;
  readonly logger: Logger;
  readonly eventManager: EventManager;
}

/** Numbers the harnesses of the process, so that several of one root can be distinguished. */
// eslint-disable-next-line no-restricted-syntax -- listed in ARCHITECTURE.md, "Mutable state"
let harnessCount = 0;

/**
 * Wraps an application for a test, with overrides.
 * @deprecated run the application itself: `await using app = await run(root, { shutdownHooks: false })`
 */
export function createTestResource(
  root: RegisterableItems,
  options: { overrides?: readonly OverridableElements[] | undefined } = {},
): IResource<void, Promise<TestFacade>> {
  return createResource(
    {
      id: `testing.${root.id}.${++harnessCount}`,
      register: [root],
      overrides: options.overrides,
      dependencies: { store, taskRunner, logger, eventManager },
      init: async (_config: void, handles: Omit<TestFacade, "runTask" | "getResource">): Promise<TestFacade> => ({
        ...handles,
        runTask: (task, ...[input, callOptions]) => handles.taskRunner.run(task, input, callOptions),
        getResource: (id) => handles.store.resources.get(id)?.value as unknown,
      }),
    },
    () => "unknown",
  );
}
