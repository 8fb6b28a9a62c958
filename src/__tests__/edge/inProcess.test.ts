import { describeEdge } from "./describeEdge";
import { startEdge } from "./edgeApp";

const open = async () => {
  const { edge, dispose } = await startEdge();
  return {
    send: (path: string, init?: RequestInit) =>
      edge.fetch(new Request(`http://edge.test${path}`, init), { remoteAddress: "192.0.2.1" }),
    [Symbol.asyncDispose]: dispose,
  };
};

describeEdge("this process", open, { withoutSocket: true });
