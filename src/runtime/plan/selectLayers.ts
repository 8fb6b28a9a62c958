import { noItems } from "../../lib/nothing";
import type { IResource } from "../../define/resource";
import type { ITask } from "../../define/task";
import type { TaskMiddlewareAttachmentType, ResourceMiddlewareAttachmentType } from "../../define/attachments";
import { assertSync } from "../../lib/assertSync";
import { symbolFramework } from "../../lib/symbols";
import {
  registrationsOf,
  type Registrations,
  type ResourceMiddlewareRegistration,
  type TaskMiddlewareRegistration,
  targetOf,
} from "./registration";

/** One middleware around one task or resource. */
export interface Attachment {
  readonly middlewareId: string;
  readonly config: unknown;
}

/** Which middleware goes around a definition, outermost first. */
export interface LayerSelection {
  forTask(task: ITask): readonly Attachment[];
  forResource(resource: IResource<any, any>): readonly Attachment[];
  everywhereForTask(task: ITask): readonly TaskMiddlewareRegistration[];
  everywhereForResource(resource: IResource<any, any>): readonly ResourceMiddlewareRegistration[];
}

type AnyAttachment = TaskMiddlewareAttachmentType | ResourceMiddlewareAttachmentType;

/** `everywhere` middleware comes first, in container order; what is attached locally runs once, at its local place. */
export function selectLayers(registrations: Registrations): LayerSelection {
  const forTasks = registrationsOf(registrations, "taskMiddleware").filter(isEverywhere);
  const forResources = registrationsOf(registrations, "resourceMiddleware").filter(isEverywhere);

  const everywhereForTask = (task: ITask) =>
    forTasks.length === 0
      ? noItems
      : forTasks.filter(({ definition: { everywhere } }) =>
          typeof everywhere === "function" ? assertSync(everywhere(task), reach) : true,
        );
  const everywhereForResource = (resource: IResource<any, any>): readonly ResourceMiddlewareRegistration[] => {
    let reaching: ResourceMiddlewareRegistration[] | undefined;
    for (const each of forResources) if (reaches(each, resource)) (reaching ??= []).push(each);
    return reaching ?? noItems;
  };

  return {
    everywhereForTask,
    everywhereForResource,
    forTask: (task) => combine(everywhereForTask(task), task.middleware),
    forResource: (resource) => combine(everywhereForResource(resource), resource.middleware),
  };
}

/** A framework resource that the middleware itself depends on stays unwrapped: it would wait for itself. */
function reaches(
  { definition: { everywhere }, dependencies }: ResourceMiddlewareRegistration,
  resource: IResource<any, any>,
): boolean {
  if (symbolFramework in resource && Object.values(dependencies).some((each) => targetOf(each)?.id === resource.id))
    return false;
  return typeof everywhere === "function" ? assertSync(everywhere(resource), reach) : true;
}

/** What a promise would come from, which reached everything. */
const reach = "a predicate of .everywhere(...)";

const isEverywhere = ({ definition }: TaskMiddlewareRegistration | ResourceMiddlewareRegistration): boolean =>
  Boolean(definition.everywhere);

function combine(
  everywhere: readonly { readonly id: string; readonly config: unknown }[],
  local: readonly AnyAttachment[],
): readonly Attachment[] {
  if (everywhere.length === 0 && local.length === 0) return noItems;
  const localIds = new Set(local.map(({ id }) => id));
  return [
    ...everywhere.filter(({ id }) => !localIds.has(id)).map(({ id, config }) => ({ middlewareId: id, config })),
    ...local.map((each) => ({ middlewareId: each.id, config: (each as { config?: unknown }).config ?? {} })),
  ];
}
