import { describeEdge } from "./describeEdge";
import { startEdge } from "./edgeApp";

describeEdge("this process", async () => {
  const { edge, dispose } = await startEdge();
  return {
    send: (path, init) => edge.fetch(new Request(`http://edge.test${path}`, init), { remoteAddress: "192.0.2.1" }),
    [Symbol.asyncDispose]: dispose,
  };
});
