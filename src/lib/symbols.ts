/**
 * Brands of definitions and of the values that cross package copies.
 *
 * All are registered symbols, so that definitions made by two copies of the package
 * (ESM and CJS, two versions in one tree) recognise each other.
 */
export const symbolTask: unique symbol = /* @__PURE__ */ Symbol.for("runner.task");
export const symbolPhantomTask: unique symbol = /* @__PURE__ */ Symbol.for("runner.task.phantom");
export const symbolResource: unique symbol = /* @__PURE__ */ Symbol.for("runner.resource");
export const symbolResourceWithConfig: unique symbol = /* @__PURE__ */ Symbol.for("runner.resourceWithConfig");
export const symbolResourceForkedFrom: unique symbol = /* @__PURE__ */ Symbol.for("runner.resourceForkedFrom");
export const symbolEvent: unique symbol = /* @__PURE__ */ Symbol.for("runner.event");
export const symbolHook: unique symbol = /* @__PURE__ */ Symbol.for("runner.hook");
/** Brand of the middleware of older releases; nothing carries it any more. */
export const symbolMiddleware: unique symbol = /* @__PURE__ */ Symbol.for("runner.middleware");
export const symbolTaskMiddleware: unique symbol = /* @__PURE__ */ Symbol.for("runner.taskMiddleware");
export const symbolResourceMiddleware: unique symbol = /* @__PURE__ */ Symbol.for("runner.resourceMiddleware");
export const symbolMiddlewareConfigured: unique symbol = /* @__PURE__ */ Symbol.for("runner.middlewareConfigured");
export const symbolTag: unique symbol = /* @__PURE__ */ Symbol.for("runner.tag");
export const symbolTagConfigured: unique symbol = /* @__PURE__ */ Symbol.for("runner.tagConfigured");
export const symbolOptionalDependency: unique symbol = /* @__PURE__ */ Symbol.for("runner.optionalDependency");
export const symbolError: unique symbol = /* @__PURE__ */ Symbol.for("runner.error");
export const symbolAsyncContext: unique symbol = /* @__PURE__ */ Symbol.for("runner.asyncContext");
/** On a routed task's per-run view: the id of the tunnel resource that owns it. */
export const symbolTunneledBy: unique symbol = /* @__PURE__ */ Symbol.for("runner.tunneledBy");
export const symbolFilePath: unique symbol = /* @__PURE__ */ Symbol.for("runner.filePath");
/** Type brand of contract carriers; nothing is stored under it. */
export const CONTRACT: unique symbol = /* @__PURE__ */ Symbol.for("runner.contract");
/** On a resource the framework provides: how a run computes its value, see `FrameworkPreset`. */
export const symbolFramework: unique symbol = /* @__PURE__ */ Symbol.for("runner.framework");
/** On an error whose message was extended by where it was thrown: the message that it had before. */
export const symbolBareMessage: unique symbol = /* @__PURE__ */ Symbol.for("runner.error.bareMessage");
/** On error instances made by an error helper. */
export const symbolErrorInstance: unique symbol = /* @__PURE__ */ Symbol.for("bluelibs.runner.error");
