import { r, type IEvent, type ITask, type RegisterableItems } from "../../node";
import type { TraceContext } from "../../lib/traceContext";
import type { ClientCallOptions } from "../../tunnels/client/remoteClient";
import { tunnelOf } from "../support/tunnelPair";
import { openCarrier, type CarrierRow, type OpenCarrier } from "./carriers";
import { readOctets, type WaitControl } from "./contractApp";

/** What the innermost task of a chain sees of the call that brought it about. */
export interface Sight {
  readonly origin: string;
  readonly remainingMs: number | undefined;
  /** What it would tell the next process. */
  readonly trace: TraceContext | undefined;
}

/** Caller, service A and service B, joined by one kind of carrier. */
export interface ScopeChain extends AsyncDisposable {
  /** To A, whose `contract.outer` reaches the innermost task of B. */
  readonly caller: OpenCarrier;
  /** Calls by the name they were given; B's innermost task waits for its signal. */
  readonly waits: OpenCarrier["served"]["waits"];
  /** Makes a call that does not wait. @returns what the innermost task saw of it */
  look(call?: ClientCallOptions): Promise<Sight>;
}

/** Names the calls that do not wait. */
const quick = "quick";

interface Named {
  readonly call: string;
}

/**
 * Starts both services. A: `outer` emits an event, whose hook calls `inner`, which the row's carrier takes to B. There
 * `inner` emits an event as well, and its hook calls `innermost`.
 */
export async function openChain(row: CarrierRow): Promise<ScopeChain> {
  let seen: Sight | undefined;
  const b = await openCarrier(row, { also: (waits) => itemsOfB(waits, (sight) => (seen = sight)) });
  const caller = await openCarrier(row, { also: () => itemsOfA(b) });
  return {
    caller,
    waits: b.served.waits,
    async look(call) {
      seen = undefined;
      await caller.call("outer", { call: quick }, call);
      if (seen === undefined) throw new Error("The call did not reach the innermost task.");
      return seen;
    },
    async [Symbol.asyncDispose]() {
      await caller[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
    },
  };
}

function itemsOfA(b: OpenCarrier): readonly RegisterableItems[] {
  const passed = r.event<Named>("contract.passed").build();
  const inner = r.task.phantom<Named, void>("contract.inner").build();
  return [
    passed,
    inner,
    entering("outer", passed),
    calling("pass", passed, inner),
    tunnelOf("toB", {
      mode: "client",
      tasks: [inner],
      run: async (_task, input, options) => b.call("inner", input as Named, options),
    }),
  ];
}

function itemsOfB(waits: WaitControl, onSight: (sight: Sight) => void): readonly RegisterableItems[] {
  const deeper = r.event<Named>("contract.deeper").build();
  const next = r.task.phantom<void, TraceContext | undefined>("next").build();
  const innermost = r
    .task("contract.innermost")
    .dependencies({ next })
    .run(async ({ call }: Named, deps, { signal, deadline, origin }) => {
      onSight({ origin, remainingMs: deadline?.remainingMs, trace: await deps.next() });
      if (call !== quick) await waits.enter(call, signal);
    })
    .build();
  // The next process takes nothing, but tells what it would have been told.
  const told = tunnelOf("toNext", {
    mode: "client",
    tasks: [next],
    run: async (_task, _input, options) => options?.trace,
  });
  return [deeper, next, innermost, told, entering("inner", deeper), calling("deepen", deeper, innermost)];
}

/** A task that emits an event, wherever the carrier put its input. */
const entering = (name: string, event: IEvent<Named>) =>
  r
    .task(`contract.${name}`)
    .dependencies({ event })
    .run(async (sent: Named | undefined, deps) => {
      const { call } = sent ?? (await readOctets<Named>());
      await deps.event({ call });
    })
    .build();

/** A hook of an event that calls a task. */
const calling = (name: string, event: IEvent<Named>, task: ITask<Named, Promise<void>>) =>
  r
    .hook(`contract.hooks.${name}`)
    .on(event)
    .dependencies({ task })
    .run(async ({ data }, deps) => deps.task(data))
    .build();
