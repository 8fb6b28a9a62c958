import { connect, type AddressInfo, type Socket } from "node:net";
import { globals, r, run, type ILog, type RegisterableItems } from "../../node/index";
import { nodeExposure, type NodeExposureHandlers, type NodeExposureHttpConfig } from "../../node/index";

type AnyDefinition = RegisterableItems & { readonly kind: string; readonly id: string };

/** A running exposure, and ways to talk to it. */
export interface TestExposure extends AsyncDisposable {
  readonly app: Awaited<ReturnType<typeof run>>;
  readonly port: number;
  readonly handlers: NodeExposureHandlers;
  /** What was logged, in order. */
  readonly logs: readonly ILog[];
  /** Posts with the token of the default config. */
  post(path: string, body?: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
  /** A connection, for what no client would send. */
  connect(): RawConnection;
}

/** A socket that collects what comes back. */
export interface RawConnection {
  readonly socket: Socket;
  write(text: string | Buffer): void;
  /** Everything received, once the server has closed the connection. */
  readonly closed: Promise<string>;
  /** Resolves with what was received so far as soon as it matches. */
  until(pattern: RegExp): Promise<string>;
}

export const token = "s3cret";

/** How an exposure ends of which no caller is waited for, so that tests do not wait either. */
export const atOnce = { quietMs: 0 };

/**
 * Runs definitions behind an exposure on a free port, with a token and a tunnel that lists all tasks and events among
 * them.
 */
export async function startExposure(
  definitions: readonly AnyDefinition[],
  http: NodeExposureHttpConfig = {},
  extra: readonly RegisterableItems[] = [],
): Promise<TestExposure> {
  const idsOf = (kind: string) => definitions.filter((each) => each.kind === kind).map(({ id }) => id);
  const tunnel = r
    .resource("test.tunnel")
    .tags([globals.tags.tunnel])
    .init(async () => ({
      transport: "http" as const,
      mode: "server" as const,
      tasks: idsOf("task"),
      events: idsOf("event"),
    }))
    .build();
  const logs: ILog[] = [];
  const listener = r
    .resource("test.logs")
    .dependencies({ logger: globals.resources.logger })
    .init(async (_config: void, { logger }) => logger.onLog((log: ILog) => logs.push(log)))
    .build();
  const exposure = nodeExposure.with({ http: { listen: { port: 0 }, auth: { token }, drain: atOnce, ...http } });
  const root = r
    .resource("test")
    .register([listener, ...definitions, tunnel, ...extra, exposure])
    .build();
  const app = await run(root, { shutdownHooks: false, errorBoundary: false, onUnhandledError: () => {} });
  const handlers = app.getResourceValue(nodeExposure);
  const { port } = (handlers.server?.address() ?? { port: 0 }) as AddressInfo;
  return {
    app,
    port,
    handlers,
    logs,
    post: (path, body = "{}", headers = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method: "POST",
        headers: {
          "x-runner-token": token,
          ...(typeof body === "string" && { "content-type": "application/json" }),
          ...headers,
        },
        body: typeof body === "string" ? body : new Uint8Array(body),
      }),
    connect: () => openConnection(port),
    [Symbol.asyncDispose]: () => app.dispose(),
  };
}

function openConnection(port: number): RawConnection {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let received = "";
  const waiting = new Set<() => void>();
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
    for (const check of waiting) check();
  });
  // A reset is one of the ways to close.
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => {
    socket.once("close", () => resolve(received));
    socket.once("end", () => {
      socket.end();
      resolve(received);
    });
  });
  return {
    socket,
    write: (text) => void socket.write(text),
    closed,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!pattern.test(received)) return;
          waiting.delete(check);
          resolve(received);
        };
        waiting.add(check);
        check();
        void closed.then(() => {
          if (!pattern.test(received)) reject(new Error(`Closed before ${String(pattern)}: ${received}`));
        });
      }),
  };
}

/** A raw POST with a length, ready to be written. */
export function rawPost(path: string, body: string, headers: readonly string[] = []): string {
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: localhost",
    `x-runner-token: ${token}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return [...head, ...headers, "", body].join("\r\n");
}

/** One part of a form; a file when it has a filename. */
export interface Part {
  readonly name: string;
  readonly filename?: string;
  readonly type?: string;
  readonly content: string | Buffer;
}

export const boundary = "BND";
export const formHeaders = { "content-type": `multipart/form-data; boundary=${boundary}` };

/** A form's bytes, parts in the order given. */
export function formOf(...parts: readonly Part[]): Buffer {
  const encoded = parts.flatMap(({ name, filename, type, content }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? "" : `; filename="${filename}"`}\r\n`,
    type === undefined ? "\r\n" : `Content-Type: ${type}\r\n\r\n`,
    content,
    "\r\n",
  ]);
  return Buffer.concat(
    [...encoded, `--${boundary}--\r\n`].map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece)),
  );
}

export const sentinel = (id: string) => ({ $runnerFile: "File" as const, id, meta: { name: `${id}.bin` } });
export const manifestPart = (input: unknown): Part => ({ name: "__manifest", content: JSON.stringify({ input }) });
export const filePart = (id: string, content: string | Buffer): Part => ({
  name: `file:${id}`,
  filename: `${id}.bin`,
  content,
});
