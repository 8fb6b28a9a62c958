import { defineTag, type ITag } from "../../../define/tag";
import type { ITask } from "../../../define/task";
import type { TunnelVisitor } from "../visitor";

/** The request, as a gate task sees it. */
export interface TunnelGateInput extends TunnelVisitor {}

/** What a gate task returns; anything but `ok: true` keeps the visitor out. */
export interface TunnelGateResult {
  readonly ok: boolean;
  /** What the visitor is answered where no group lets it in: 401 asks for credentials, 403 refuses. Default 403. */
  readonly status?: 401 | 403 | undefined;
}

/** Marks a task that decides which visitors may reach what is published; relays name such tasks in `gates`. */
export const tunnelGate: ITag<void, TunnelGateInput, TunnelGateResult> = /* @__PURE__ */ defineTag({
  id: "globals.tags.tunnelGate",
});

/** A gate of the framework, with its config. */
export interface BuiltinTunnelGate {
  readonly kind: "tunnelGate";
  readonly gate: "password" | "token" | "jwt" | "ip";
  readonly config: unknown;
}

/** A gate: one of `globals.tunnelGates`, or a task tagged `globals.tags.tunnelGate`, or the id of one. */
export type TunnelGate = BuiltinTunnelGate | ITask<TunnelGateInput, Promise<TunnelGateResult>> | string;

/** Groups of gates. A visitor passes where all gates of one group let it: `[[a, b], [c]]` is (a and b) or c. */
export type TunnelGateGroups = readonly (readonly TunnelGate[])[];
