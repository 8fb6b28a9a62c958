import { createWeakMembers } from "../../lib/weakMembers";

/** Counts the connections that one carrier has open. Held weakly: the carrier has to keep it. */
export interface SocketCount {
  socketCount(): number;
}

const counts = /* @__PURE__ */ createWeakMembers<SocketCount>();

/** Has the connections of a carrier counted with those of the process. */
export const countSockets = (count: SocketCount): void => counts.add(count);

/** How many connections the clients of the process have open. */
export const openSocketCount = (): number => counts.list().reduce((sum, each) => sum + each.socketCount(), 0);
