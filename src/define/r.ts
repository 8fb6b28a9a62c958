import { errorBuilder, type ErrorFluentBuilder, type ErrorStarter } from "../errors/defineError";
import { captureFilePath } from "../lib/filePath";
import { asyncContextBuilder } from "./asyncContext";
import { assertId } from "./brand";
import { eventBuilder } from "./event";
import { hookBuilder } from "./hook";
import { resourceMiddlewareBuilder, taskMiddlewareBuilder } from "./createMiddleware";
import { overrideBuilder } from "./override";
import { resourceBuilder } from "./createResource";
import { tagBuilder } from "./tag";
import { taskBuilder } from "./createTask";

const startError: ErrorStarter = (id: string) => {
  assertId("error", id);
  return errorBuilder({ id }, captureFilePath(startError)) as ErrorFluentBuilder<any, any>; // as the signatures say
};

/** The fluent builders of every concept. */
export const r = /* @__PURE__ */ Object.freeze({
  task: taskBuilder,
  resource: resourceBuilder,
  event: eventBuilder,
  hook: hookBuilder,
  tag: tagBuilder,
  override: overrideBuilder,
  error: startError,
  asyncContext: asyncContextBuilder,
  middleware: /* @__PURE__ */ Object.freeze({ task: taskMiddlewareBuilder, resource: resourceMiddlewareBuilder }),
});
