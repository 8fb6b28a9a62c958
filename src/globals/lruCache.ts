/** The one place of `lru-cache`, which is loaded by what uses it first. */
export const loadLruCache = () => import("lru-cache");
