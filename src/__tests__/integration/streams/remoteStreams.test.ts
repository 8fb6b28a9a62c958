import { createHttpClient, createHttpMixedClient, createHttpSmartClient } from "../../../node";
import { describeStreams, streamOptions, type StreamRow } from "../../contract/streamSuites";
import { startExposure, token } from "../../support/exposure";
import { definitions, sold, visitor } from "./streamDefinitions";

const common = { auth: { token }, ...streamOptions };

const overHttp = (name: string, connect: (baseUrl: string) => Awaited<ReturnType<StreamRow["open"]>>["client"]) => ({
  name,
  async open() {
    const served = await startExposure(definitions, {}, [sold, visitor]);
    return { served, client: connect(`http://127.0.0.1:${served.port}/__runner`) };
  },
});

describeStreams([
  overHttp("fetch", (baseUrl) => createHttpClient({ baseUrl, ...common })),
  overHttp("Smart", (baseUrl) => createHttpSmartClient({ baseUrl, ...common })),
  overHttp("Mixed", (baseUrl) => createHttpMixedClient({ baseUrl, ...common })),
]);
