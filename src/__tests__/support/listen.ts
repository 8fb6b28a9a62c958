import { tracingChannel } from "node:diagnostics_channel";
import type { CallTrace, EventTrace, RequestTrace, TaskTrace } from "../../index";

interface Messages {
  "runner:task": TaskTrace;
  "runner:event": EventTrace;
  "runner:request": RequestTrace;
  "runner:call": CallTrace;
}

type Phase = "start" | "end" | "asyncStart" | "asyncEnd" | "error";

/** What a channel of the process publishes, until disposed of. */
export function listen<Name extends keyof Messages>(name: Name, onStart: (message: Messages[Name]) => void = () => {}) {
  const seen: [Phase, Messages[Name]][] = [];
  const on = (phase: Phase) => (message: unknown) => {
    const traced = message as Messages[Name];
    seen.push([phase, traced]);
    if (phase === "start") onStart(traced);
  };
  const subscribers = {
    start: on("start"),
    end: on("end"),
    asyncStart: on("asyncStart"),
    asyncEnd: on("asyncEnd"),
    error: on("error"),
  };
  const channel = tracingChannel<unknown, object>(name);
  channel.subscribe(subscribers);
  return {
    seen,
    phases: () => seen.map(([phase]) => phase),
    /** One message per call, in the order the calls began. */
    messages: () => seen.flatMap(([phase, message]) => (phase === "start" ? [message] : [])),
    [Symbol.dispose]: () => void channel.unsubscribe(subscribers),
  };
}
