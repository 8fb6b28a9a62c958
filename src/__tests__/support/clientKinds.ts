import {
  createHttpClient,
  createHttpMixedClient,
  createHttpSmartClient,
  type HttpClient,
  type HttpSmartClientConfig,
} from "../../node";

type Create = (config: HttpSmartClientConfig) => HttpClient;

const smart: [string, Create] = ["Smart", createHttpSmartClient];
const mixed: [string, Create] = ["Mixed", createHttpMixedClient];
const universal: [string, Create] = ["universal", createHttpClient];

/** The clients of both entries, by name, as tables of tests take them. */
export const clientKinds = [universal, mixed, smart];
/** Those that only Node has. */
export const nodeClientKinds = [mixed, smart];
