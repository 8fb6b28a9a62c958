import { assertId } from "../../define/brand";
import { resourceBuilderOf } from "../../define/createResource";
import type { ResourceDraft } from "../../define/resourceBuilder";
import { captureFilePath } from "../../lib/filePath";
import type { Unbuilt } from "../../lib/injectable";
import type { ContextSelection } from "../../tunnels/routing/contextSelection";
import type { TunnelEventSelector, TunnelRunner, TunnelTaskSelector } from "../../tunnels/routing/tags";
import { tunnelTagOf, type TunnelPlan } from "../../tunnels/routing/tunnelPlan";
import { incompleteTunnel, type TunnelResource } from "./tunnelParts";

/** Says what other processes may call; every method returns a new builder. */
export interface TunnelServerBuilder<Opens extends boolean = false> extends Unbuilt {
  readonly id: string;
  /** Tasks, by definition, id or predicate. Replaces the list. */
  tasks(selector: TunnelTaskSelector): TunnelServerBuilder<true>;
  /** Events, by definition, id or predicate. Replaces the list. */
  events(selector: TunnelEventSelector): TunnelServerBuilder<true>;
  /** Events that may be listened to, which does not open them to be emitted. Replaces the list. */
  subscribable(selector: TunnelEventSelector): TunnelServerBuilder<true>;
  /** What the servers that open them speak, as "http". Default: all. */
  transport(name: "http" | (string & {})): TunnelServerBuilder<Opens>;
  /** Whether callers may set async contexts. Default true. */
  allowAsyncContext(allow: boolean): TunnelServerBuilder<Opens>;
  /** Which async contexts callers may set. Default "all". */
  contexts(selection: ContextSelection): TunnelServerBuilder<Opens>;
  build: Opens extends true
    ? () => TunnelResource
    : (this: "say what is opened first: .tasks([...]), .events([...]) or .subscribable([...])") => TunnelResource;
}

/** Starts a tunnel that opens tasks and events to other processes. */
export function tunnelServerBuilder(id: string): TunnelServerBuilder {
  assertId("resource", id);
  const filePath = captureFilePath(tunnelServerBuilder);
  const at = (value: Omit<TunnelRunner, "mode">): unknown =>
    Object.freeze({
      id,
      tasks: (tasks: TunnelTaskSelector) => at({ ...value, tasks }),
      events: (events: TunnelEventSelector) => at({ ...value, events }),
      subscribable: (subscribable: TunnelEventSelector) => at({ ...value, subscribable }),
      transport: (transport: string) => at({ ...value, transport }),
      allowAsyncContext: (allowAsyncContext: boolean) => at({ ...value, allowAsyncContext }),
      contexts: (contexts: ContextSelection) => at({ ...value, contexts }),
      build() {
        if (!value.tasks && !value.events && !value.subscribable) throw incompleteTunnel(id, ["tasks"]);
        const tunnel: TunnelRunner & TunnelPlan = { ...value, mode: "server" };
        const draft: ResourceDraft = { id, tags: [tunnelTagOf(tunnel)], init: async () => tunnel };
        return resourceBuilderOf(draft, filePath).build();
      },
    });
  return at({}) as TunnelServerBuilder; // the types exist only for the checker
}
