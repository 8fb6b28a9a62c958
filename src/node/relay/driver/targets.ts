/** What serves visitors of a binding, loaded with the first service that is published. */
export { fetchListener } from "./fetchListener";
export { httpTarget } from "./httpTarget";
export { inProcessConnection } from "./inProcessConnection";
export { tcpTarget } from "./tcpTarget";
