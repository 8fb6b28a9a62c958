/** What serves visitors of a binding, loaded with the first service that is published. */
export { canPool, importUndici } from "../../undici";
export { fetchListener } from "./fetchListener";
export { httpTarget } from "./httpTarget";
export { listenerTarget } from "./listenerTarget";
export { tcpTarget } from "./tcpTarget";
