/**
 * Entry `.` where programs are seldom bundled: as `index.ts`, but what serves calls is loaded when something is served, for it is a
 * third of what there is to load. esbuild would have pages begin with what such a part shares with them, so that they get `index.ts`.
 */
import { fetchExposure as exposure } from "./globals/fetch/fetchExposure";
import { globals as all } from "./globals/index";
import { loadLate } from "./globals/loadLate";

export * from "./shared";
export const fetchExposure = /* @__PURE__ */ loadLate(exposure);
export const globals = /* @__PURE__ */ loadLate(all);
