import { Serializer } from "../../serializer/Serializer";
import { frameworkResource } from "../frameworkResource";
import { alsoBuiltin } from "../lateBuiltins";

/** One serializer per run: what exposures and injected clients use, so `addType` reaches the whole tunnel. */
export const serializer = /* @__PURE__ */ alsoBuiltin(
  /* @__PURE__ */ frameworkResource<Serializer>("globals.resources.serializer", { value: () => new Serializer() }),
);
