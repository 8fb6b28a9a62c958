/**
 * What of `.` does without the types of the serializer. The package has it in files of its own, so that a page that imports some of it
 * does not begin with the types, which calls may load later.
 */
export { r } from "./builders";
export { run } from "./run";
export { createExposureFetch, createHttpClient } from "./tunnels/transports/httpClients";
