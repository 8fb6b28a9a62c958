import { createRequire } from "node:module";

/** Loads an entry of the published 5.5.0, in CommonJS. */
export const ref55 = (entry = "") => createRequire(import.meta.url)(`runner-55${entry}`);
