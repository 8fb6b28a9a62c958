import { errorBuilder, type DefaultErrorType, type ErrorFluentBuilder } from "../errors/defineError";
import { captureFilePath } from "../lib/filePath";
import { asyncContextBuilder } from "./asyncContext";
import { assertId } from "./brand";
import { eventBuilder } from "./event";
import { hookBuilder } from "./hook";
import { resourceMiddlewareBuilder, taskMiddlewareBuilder } from "./middleware";
import { overrideBuilder } from "./override";
import { resourceBuilder } from "./resource";
import { tagBuilder } from "./tag";
import { taskBuilder } from "./task";

function startError<Data extends object = DefaultErrorType>(id: string): ErrorFluentBuilder<Data> {
  assertId("error", id);
  return errorBuilder({ id }, captureFilePath(startError));
}

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
