import { asFunction, createContainer } from "awilix";
import { cpuMs } from "../lib/cpu.mjs";

/** What is registered, and how all of it is made. */
const shapes = {
  tasks(register, size) {
    register("numbers", () => ({ one: 1 }));
    for (let i = 0; i < size; i++) {
      register(
        `add${i}`,
        ({ numbers }) =>
          async (input) =>
            input.a + numbers.one,
      );
    }
    return async (resolve) => {
      for (let i = 0; i < size; i++) resolve(`add${i}`);
      return (await resolve(`add${size - 1}`)({ a: 1 })) === 2;
    };
  },

  chain(register, size) {
    register("link0", () => 1);
    for (let i = 1; i < size; i++) register(`link${i}`, (all) => all[`link${i - 1}`] + 1);
    return (resolve) => resolve(`link${size - 1}`) === size;
  },

  fan(register, size) {
    for (let i = 0; i < size; i++) register(`blade${i}`, () => 1);
    register("hub", (all) => {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += all[`blade${i}`];
      return sum;
    });
    return (resolve) => resolve("hub") === size;
  },
};

export async function start({ shape, size }) {
  const started = cpuMs();
  const container = createContainer();
  const make = shapes[shape]((name, factory) => container.register(name, asFunction(factory).singleton()), size);
  const defined = cpuMs();
  const isComplete = await make((name) => container.resolve(name));
  const ran = cpuMs();
  if (!isComplete) throw new Error(`${shape} of ${size} did not start.`);
  return { define: defined - started, run: ran - defined };
}
