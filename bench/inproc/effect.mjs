import { Effect } from "effect";
import { callSampler } from "../lib/callSampler.mjs";

const input = { a: 1, b: 2 };
// A promise, as the bodies of all the others give one.
const add = ({ a, b }) => Effect.promise(async () => a + b);
const passOn = (next) => (given) => Effect.suspend(() => next(given));

function wrap(run, layers) {
  let outer = run;
  for (let i = 0; i < layers; i++) outer = passOn(outer);
  return outer;
}

function nest(depth) {
  let outer = add;
  for (let i = 1; i < depth; i++) {
    const inner = outer;
    outer = (given) => Effect.map(inner(given), (sum) => sum + 1);
  }
  return outer;
}

const calls = {
  call: () => add,
  middleware1: () => wrap(add, 1),
  middleware5: () => wrap(add, 5),
  nested5: () => nest(5),
};

/** It has no events. */
export function start({ row }) {
  const call = calls[row]?.();
  return call === undefined ? { missing: true } : callSampler(() => Effect.runPromise(call(input)));
}
