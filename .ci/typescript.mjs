/**
 * Runs TypeScript files as they stand: `node --import ./.ci/typescript.mjs file.ts`.
 *
 * Node 20 cannot load TypeScript by itself. Types are stripped, nothing is checked: that is `npm run typecheck`.
 */
import { register } from "node:module";

register("./typescriptHooks.mjs", import.meta.url);
