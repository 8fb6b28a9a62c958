import { callSampler } from "../lib/callSampler.mjs";

const input = { a: 1, b: 2 };
const add = async ({ a, b }) => a + b;
const passOn = (next) => async (given) => next(given);

function emitTo(count) {
  const heard = { sum: 0 };
  const hooks = Array.from({ length: count }, () => async (event) => {
    heard.sum += event.data.a;
  });
  return async (data) => {
    const event = { id: "app.events.added", data };
    for (const hook of hooks) await hook(event);
  };
}

function wrap(run, layers) {
  let outer = run;
  for (let i = 0; i < layers; i++) outer = passOn(outer);
  return outer;
}

function nest(depth) {
  let outer = add;
  for (let i = 1; i < depth; i++) {
    const inner = outer;
    outer = async (given) => (await inner(given)) + 1;
  }
  return outer;
}

const calls = {
  call: () => add,
  middleware1: () => wrap(add, 1),
  middleware5: () => wrap(add, 5),
  emit0: () => emitTo(0),
  emit1: () => emitTo(1),
  emit10: () => emitTo(10),
  nested5: () => nest(5),
};

export function start({ row }) {
  const call = calls[row]();
  return callSampler(() => call(input));
}
