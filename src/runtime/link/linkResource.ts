import { normalizeError } from "../../errors/normaliseThrown";
import type { IResourceMiddleware, IResourceMiddlewareExecutionInput } from "../../define/middleware";
import type { IResource } from "../../define/resource";
import { validator } from "../validator";

/** Wraps the `init` of resources: calls `next` to go on, and resolves to the value. */
export type ResourceMiddlewareInterceptor = (
  next: (input: IResourceMiddlewareExecutionInput) => Promise<any>, // as the resource's value
  input: IResourceMiddlewareExecutionInput,
) => Promise<any>; // as the resource's value

/** A middleware with config and dependencies bound, and the interceptors around it. */
export interface ResourceLayer {
  readonly run: IResourceMiddleware["run"];
  readonly dependencies: unknown;
  readonly config: unknown;
  /** Last one is outermost. */
  readonly interceptors: readonly ResourceMiddlewareInterceptor[];
}

/** All that the initialisation of a resource is made of. */
export interface ResourceLink {
  readonly resource: IResource<any, any>;
  readonly dependencies: object;
  readonly context: unknown;
  /** First one is outermost. */
  readonly globalInterceptors: readonly ResourceMiddlewareInterceptor[];
  readonly layers: readonly ResourceLayer[];
}

type Step = (config: unknown) => Promise<unknown>;

/** Runs `init` inside its layers: global interceptors, middleware, `init`, result schema. */
export function initResource(link: ResourceLink, config: unknown): Promise<unknown> {
  const { resource, layers, globalInterceptors } = link;
  let step = initStep(link);
  for (const layer of layers.toReversed()) step = layerStep(layer, step, resource);
  for (const intercept of globalInterceptors.toReversed()) step = interceptorStep(intercept, step, resource);
  return step(config);
}

function initStep({ resource, dependencies, context }: ResourceLink): Step {
  const { init, resultSchema, id } = resource;
  if (init === undefined) return async () => undefined;
  const parseResult = resultSchema && validator(resultSchema, "Resource result", id);
  return async (config) => {
    const value: unknown = await init.call(resource, config, dependencies, context);
    return parseResult ? parseResult(value) : value;
  };
}

function layerStep(
  { run, dependencies, config: layerConfig, interceptors }: ResourceLayer,
  inner: Step,
  resource: IResource<any, any>,
): Step {
  let step: Step = async (config): Promise<unknown> => run(inputOf(resource, config, inner), dependencies, layerConfig);
  for (const intercept of interceptors) step = interceptorStep(intercept, step, resource, inner);
  return step;
}

/** As for tasks: `input.next` goes on past the middleware that is intercepted. */
function interceptorStep(
  intercept: ResourceMiddlewareInterceptor,
  inner: Step,
  resource: IResource<any, any>,
  skipTo: Step = inner,
): Step {
  return async (config): Promise<unknown> =>
    intercept((passed) => inner(passed.resource.config), inputOf(resource, config, skipTo));
}

function inputOf(definition: IResource<any, any>, config: unknown, inner: Step): IResourceMiddlewareExecutionInput {
  return {
    resource: { definition, config },
    next(passed?: unknown) {
      return inner(arguments.length === 0 ? config : passed);
    },
  };
}

/**
 * Says which resource failed: message prefix, `resourceId`, `resourcePath` and `cause` are added to the error itself.
 *
 * @param path ids from the root to the resource
 */
export function annotateInitFailure(thrown: unknown, resourceId: string, path: readonly string[]): Error {
  const prefix = `Resource "${resourceId}" initialization failed: `;
  const error = normalizeError(thrown);
  if (!mentions(error.message, resourceId)) assign(error, "message", prefix + error.message);
  if (!Object.hasOwn(error, "resourceId")) assign(error, "resourceId", resourceId);
  if (!Object.hasOwn(error, "resourcePath")) assign(error, "resourcePath", [...path]);
  if (!Object.hasOwn(error, "cause")) assign(error, "cause", { resourceId, resourcePath: [...path] });
  return error;
}

/** Whether a message names the resource already: in quotes, or as its first word. */
function mentions(message: string, resourceId: string): boolean {
  if (message.includes(`"${resourceId}"`) || message.startsWith(`${validationPrefix} ${resourceId}:`)) return true;
  // "boom" does not start with "b", nor "b.c" with "b".
  return message.startsWith(resourceId) && !/^(?:[\w-]|\.\w)/.test(message.slice(resourceId.length));
}

/** Validation errors name their subject without quotes. */
const validationPrefix = "Resource result validation failed for";

/** Frozen errors exist; they are passed on as they are. */
function assign(error: Error, key: string, value: unknown): void {
  Reflect.defineProperty(error, key, {
    value,
    writable: true,
    configurable: true,
    enumerable: key !== "message" && key !== "cause",
  });
}
