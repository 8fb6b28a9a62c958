import type { RunObserver } from "../../runtime/tracing";
import { publishCalls } from "./publishCalls";

/**
 * An observer for `run(app, { observe })`: the function itself. A bundle that refers to this has what publishes calls.
 *
 * @see readmes/TRACING.md
 */
export const observer: (observe: RunObserver) => RunObserver = /* @__PURE__ */ (() => {
  publishCalls();
  return (observe: RunObserver) => observe;
})();
