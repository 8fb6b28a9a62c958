/** What is logged with this comes from the run itself. */
export const fromRun = { source: "run" };
