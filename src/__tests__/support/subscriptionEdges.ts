import {
  fetchExposure,
  globals,
  r,
  run,
  type CallLimits,
  type HttpAuthConfig,
  type ILog,
  type definitions as types,
  type RegisterableItems,
  type RunResult,
} from "../../node";
import { nodeExposure } from "../../node";
import { token } from "./exposure";
import { soon } from "./soon";

/** A run whose events may be listened to, whatever its edge. */
export interface SubscriptionEdge extends AsyncDisposable {
  readonly app: RunResult;
  readonly logs: ILog[];
  /** Asks for what a body says. */
  subscribe(body: unknown, headers?: Readonly<Record<string, string | undefined>>): Promise<Response>;
  request(path: string, init: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export interface EdgeOptions {
  readonly subscribable?: readonly types.IEvent[] | undefined;
  readonly emittable?: readonly types.IEvent[] | undefined;
  readonly limits?: CallLimits | undefined;
  readonly auth?: HttpAuthConfig | undefined;
  readonly extra?: readonly RegisterableItems[] | undefined;
}

type Serve = (request: Request) => Promise<Response>;
const accept = "application/x-runner-items+ndjson";

async function start(
  { subscribable = [], emittable = [], extra = [] }: EdgeOptions,
  exposure: RegisterableItems,
  edgeOf: (app: RunResult) => { readonly serve: Serve; readonly close: () => Promise<void> },
): Promise<SubscriptionEdge> {
  const logs: ILog[] = [];
  const listener = r
    .resource("test.logs")
    .dependencies({ logger: globals.resources.logger })
    .init(async (_config: void, { logger }) => logger.onLog((log: ILog) => logs.push(log)))
    .build();
  const tunnel = r.tunnel
    .server("test.tunnel")
    .subscribable([...subscribable])
    .events([...emittable])
    .build();
  const events = new Set([...subscribable, ...emittable]);
  const root = r
    .resource("test")
    .register([listener, ...events, tunnel, ...extra, exposure])
    .build();
  const app = await run(root, { shutdownHooks: false, errorBoundary: false, onUnhandledError: () => {} });
  const { serve, close } = edgeOf(app);
  const request = (path: string, init: RequestInit): Promise<Response> =>
    serve(new Request(`http://127.0.0.1/__runner${path}`, init));
  return {
    app,
    logs,
    request,
    subscribe: (body, headers = {}) =>
      request("/subscribe", {
        method: "POST",
        headers: Object.entries({
          "content-type": "application/json",
          accept,
          "x-runner-token": token,
          ...headers,
        }).filter((each): each is [string, string] => each[1] !== undefined),
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    close,
    [Symbol.asyncDispose]: () => app.dispose(),
  };
}

const overNode = (options: EdgeOptions): Promise<SubscriptionEdge> => {
  const { limits, auth = { token } } = options;
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth, limits, drain: { quietMs: 0 } } });
  return start(options, exposure, (app) => {
    const { url, close } = app.getResourceValue(nodeExposure);
    const origin = new URL(url).origin;
    return {
      serve: async (request) => {
        const { pathname } = new URL(request.url);
        const { method, headers } = request;
        return fetch(origin + pathname, { method, headers, body: method === "GET" ? null : await request.text() });
      },
      close,
    };
  });
};

const overFetch = (options: EdgeOptions): Promise<SubscriptionEdge> => {
  const { limits, auth = { token } } = options;
  return start(options, fetchExposure.with({ http: { auth, limits } }), (app) => {
    const { fetch: serve, close } = app.getResourceValue(fetchExposure);
    return { serve, close };
  });
};

export const subscriptionEdges: readonly (readonly [string, (options: EdgeOptions) => Promise<SubscriptionEdge>])[] = [
  ["nodeExposure", overNode],
  ["fetchExposure", overFetch],
];

/** Reads the lines of a reply. */
export interface Lines extends AsyncDisposable {
  /** The next line, heartbeats left out. */
  next(): Promise<Record<string, any>>; // as JSON has it
  /** The next lines, as they are. */
  texts(count: number): Promise<string[]>;
  /** All that comes until the end. */
  rest(): Promise<string[]>;
}

export function linesOf({ body }: Response): Lines {
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  async function line(): Promise<string | undefined> {
    for (;;) {
      const at = text.indexOf("\n");
      if (at !== -1) {
        const found = text.slice(0, at);
        text = text.slice(at + 1);
        return found;
      }
      const { done, value } = await soon(reader.read());
      if (done) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  }
  async function some(): Promise<string> {
    const found = await line();
    if (found === undefined) throw new Error("The reply has ended.");
    return found;
  }
  return {
    async next() {
      for (;;) {
        const found = await some();
        if (found !== "") return JSON.parse(found) as Record<string, unknown>;
      }
    },
    async texts(count) {
      const texts: string[] = [];
      while (texts.length < count) texts.push(await some());
      return texts;
    },
    async rest() {
      const texts: string[] = [];
      for (let found = await line(); found !== undefined; found = await line()) texts.push(found);
      return texts;
    },
    [Symbol.asyncDispose]: () => reader.cancel(),
  };
}
