import type { PresetScope } from "../../runtime/run/presets";
import { createHttpClient } from "../../tunnels/transports/httpClients";
import { createClientFactory, type HttpClientFactory } from "../resources/httpClientFactory";

export const createWebClientFactory = (scope: PresetScope): HttpClientFactory =>
  createClientFactory(scope, createHttpClient);
