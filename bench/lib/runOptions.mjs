/** Options of `run` that keep a measured application silent and the process as it is. */
export const runOptions = { errorBoundary: false, shutdownHooks: false, logs: { printThreshold: null } };
