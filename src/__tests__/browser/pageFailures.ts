import { Serializer, TunnelError } from "../../index";
import { soldOut } from "../contract/contractDefinitions";
import type { PageFailure } from "./pageCalls";

/** What a call in a page was rejected with, as it is thrown on this side. */
export function errorOf(failure: PageFailure, signal: AbortSignal | undefined): unknown {
  const serializer = new Serializer();
  switch (failure.kind) {
    case "reason":
      return signal?.reason;
    case "declared":
      return Object.assign(soldOut.create(serializer.deserialize(failure.data)), { message: failure.message });
    case "tunnelError": {
      const { details, ...extras } = serializer.deserialize<Partial<TunnelError>>(failure.extras);
      return new TunnelError(failure.code, failure.message, details, extras);
    }
    case "error": {
      const { name, message } = failure;
      return name === "TypeError" ? new TypeError(message) : Object.assign(new Error(message), { name });
    }
  }
}
