import { callSampler } from "../lib/callSampler.mjs";

const input = { a: 1, b: 2 };
const add = async ({ a, b }) => a + b;

/** One call of an async function, whatever the row: the unit of all rows. */
export const start = () => callSampler(() => add(input));
