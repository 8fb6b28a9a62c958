// The order of test files: those that need dist/ come last, except one, which begins the build. Where dist/ has to be built
// first, as in a clean clone, the others then run beside the build instead of waiting for it.
import { readFileSync } from "node:fs";
import TestSequencer from "@jest/test-sequencer";

const needsBuild = ({ path }) => /\bensureBuilt\b/.test(readFileSync(path, "utf8"));

export default class TestOrder extends TestSequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    const [first, ...waiting] = sorted.filter(needsBuild);
    const others = sorted.filter((test) => !needsBuild(test));
    return first === undefined ? others : [first, ...others, ...waiting];
  }
}
