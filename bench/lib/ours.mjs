/** Loads an entry of the build under test: "index.js", "node/index.js". */
export const ours = (entry) => import(new URL(entry, process.env.RUNNER_DIST).href);
