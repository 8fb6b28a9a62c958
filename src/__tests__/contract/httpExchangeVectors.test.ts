import { request, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { NodeExposureHttpConfig, NodeExposureHttpCorsConfig } from "../../node/exposure/config/config";
import { nodeExposure } from "../../node/exposure/exposureResource";
import { selectedByPredicate, startGoldenServer, type GoldenConfig } from "../support/goldenServer";
import vectors from "./golden/http-exchange-vectors.json";

/** An exchange recorded from the published 5.2.0, with what ours does where it differs on purpose. */
interface Exchange {
  readonly name: string;
  readonly server: string;
  readonly method: string;
  readonly path: string;
  readonly requestHeaders: Record<string, string>;
  readonly requestBody: string | null;
  readonly status: number;
  readonly responseHeaders: Record<string, string>;
  readonly responseBody: string;
  readonly ours?: Partial<Pick<Exchange, "status" | "responseHeaders" | "responseBody">>;
}

const auth = { token: "s3cret" };
const withCors = (cors: NodeExposureHttpCorsConfig): GoldenConfig => ({ http: { auth, cors } });
const open: NodeExposureHttpConfig = {
  auth: { token: ["t1", "t2"], header: "X-Api-Key" },
  dangerouslyAllowOpenExposure: true,
  limits: { multipart: { fileSize: 10, files: 1, fields: 2, fieldSize: 200 } },
};

/** What each recorded description of a server means. */
const servers: ReadonlyMap<string, GoldenConfig> = new Map([
  [
    'basePath /__runner, auth.token "s3cret", limits.json.maxSize 2000, server-mode http tunnel listing every id except app.notlisted / app.evhidden; no cors config',
    { http: { auth, limits: { json: { maxSize: 2000 } } } },
  ],
  [
    "open, tokens [t1,t2], header X-Api-Key, multipart limits fileSize 10 files 1 fields 2 fieldSize 200",
    { http: open, exposes: null },
  ],
  ["cors {}", withCors({})],
  ["cors { origin: 'https://a.test' }", withCors({ origin: "https://a.test" })],
  [
    "cors { origin: [ 'https://a.test' ], credentials: true, methods: [ 'POST' ], allowedHeaders: [ 'x-runner-token', 'content-type' ], exposedHeaders: [ 'content-type' ], maxAge: 600 }",
    withCors({
      origin: ["https://a.test"],
      credentials: true,
      methods: ["POST"],
      allowedHeaders: ["x-runner-token", "content-type"],
      exposedHeaders: ["content-type"],
      maxAge: 600,
    }),
  ],
  ["cors { origin: /a\\.test$/ }", withCors({ origin: /a\.test$/ })],
  [
    "cors { origin: [Function: origin] }",
    withCors({ origin: (origin) => (origin === "https://a.test" ? "https://b.test" : null) }),
  ],
  ["cors { credentials: true }", withCors({ credentials: true })],
  [
    "cors { origin: [ 'https://a.test' ], varyOrigin: false }",
    withCors({ origin: ["https://a.test"], varyOrigin: false }),
  ],
  ["no-server-tunnel", { http: { auth }, exposes: null }],
  ["token s3cret + validators (one throws, one checks x-tenant=acme)", { http: { auth }, withValidators: true }],
  ["no auth configured", {}],
  ["validators only", { withValidators: true }],
  ['auth.allowAnonymous true, basePath "rpc/"', { http: { basePath: "rpc/", auth: { allowAnonymous: true } } }],
  [
    "as the first, listing app.http418 alone (recorded from 5.5.0)",
    { http: { auth }, exposes: { tasks: ["app.http418"] } },
  ],
  ["selectors", { http: { auth }, exposes: selectedByPredicate }],
] as const);

/** Compared although the recording has them not: their absence is part of the answer. */
const mustBeAbsent = /^(access-control-.*|vary|set-cookie|x-frame-options|x-content-type-options)$/;

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function exchange(port: number, { method, path, requestHeaders, requestBody }: Exchange): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { ...requestHeaders, connection: "close" };
    const sent = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
      reply.on("end", () =>
        resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on("error", reject).end(requestBody ?? undefined);
  });
}

/** What the recording leaves to the test: its own texts, and values that differ by deployment. */
const bodyIsOurs: Record<string, (body: string, recorded: string) => void> = {
  "err.input-schema": expectRefusal("Task input", "app.schema"),
  "event.schema-fail": expectRefusal("Event payload", "app.evschema"),
  "noauth.discovery": (body) =>
    expect(JSON.parse(body)).toMatchObject({ ok: true, result: { allowList: { enabled: true } } }),
  "mp.ejson-sentinel": (body) =>
    expect(JSON.parse(body)).toEqual({ ok: true, result: { keys: ["file"], ctor: "NodeInputFile" } }),
};

function expectRefusal(subject: string, id: string) {
  return (body: string): void =>
    expect(JSON.parse(body)).toEqual({
      ok: false,
      error: {
        message: `${subject} validation failed for ${id}: x must be a number`,
        code: "VALIDATION_ERROR",
        data: { subject, id, issues: [{ path: [], message: "x must be a number" }] },
      },
    });
}

const exchanges = (vectors as Exchange[]).map((vector) => [vector.name, vector] as const);

describe.each([...servers])("an exposure answers as recorded: %s", (server, config) => {
  let app: Awaited<ReturnType<typeof startGoldenServer>>;
  let port: number;
  beforeAll(async () => {
    app = await startGoldenServer(config);
    ({ port } = app.getResourceValue(nodeExposure).server?.address() as AddressInfo);
  });
  afterAll(() => app.dispose());

  it.each(exchanges.filter(([, vector]) => vector.server === server))(
    "an exposure answers as recorded: %s",
    async (name, vector) => {
      const expected = { ...vector, ...vector.ours };

      const reply = await exchange(port, vector);

      expect(reply.status).toBe(expected.status);
      const check = bodyIsOurs[name];
      if (check !== undefined) check(reply.body, expected.responseBody);
      else expect(reply.body).toBe(expected.responseBody);
      for (const [header, value] of Object.entries(expected.responseHeaders)) {
        if (check !== undefined && header === "content-length") continue;
        if (value === "<request id>")
          expect(reply.headers[header]).toMatch(
            /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
          );
        else expect([header, [reply.headers[header]].flat().join(", ")]).toEqual([header, value]);
      }
      const unexpected = Object.keys(reply.headers).filter(
        (header) => mustBeAbsent.test(header) && !(header in expected.responseHeaders),
      );
      expect(unexpected).toEqual([]);
    },
  );
});

it("the test knows the server of every recorded exchange", () => {
  const unknown = exchanges.map(([, { server }]) => server).filter((server) => !servers.has(server));

  expect(unknown).toEqual([]);
});
