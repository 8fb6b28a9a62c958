import { resolveRelayConfig } from "./config";
import { defaultFdPermits } from "./fdPermits";

it("a relay that is told where to listen and nothing else has the defaults of the specification", () => {
  const { fdPermits, ...config } = resolveRelayConfig({ listen: { port: 0 } });

  expect(config).toEqual({
    listen: { port: 0, host: "127.0.0.1" },
    tls: undefined,
    server: undefined,
    tokens: undefined,
    tokenHeader: "x-runner-token",
    allowAnonymous: undefined,
    patterns: [],
    portRange: [20_000, 20_999],
    allowedOrigins: new Set(),
    hosts: new Set(),
    allowPrivileged: { expose: false, pull: false },
    trustedProxies: new Set(),
    aliases: new Map(),
    session: {
      maxFrameBytes: 64 * 1024,
      maxStreams: 1_000,
      windowBytes: 256 * 1024,
      maxWindowBytes: 8 * 1024 * 1024,
      sessionBufferBytes: 64 * 1024 * 1024,
      maxBindings: 32,
      maxConnectionsPerSession: 8,
      congestedBytes: 1024 * 1024,
      maxQueuedBytes: 16 * 1024 * 1024,
      maxControlFrames: 4_096,
      controlRate: 50,
      controlBurst: 200,
      pingMs: 15_000,
      deadMs: 60_000,
      graceMs: 60_000,
    },
    maxPreAuthConnections: 32,
    helloTimeoutMs: 5_000,
    maxSessions: 256,
    maxSessionsPerPrincipal: 16,
    hookTimeoutMs: 5_000,
    connectHeadBytes: 16 * 1024,
    visitors: {
      maxConnectionsPerIp: 256,
      headBytes: 32 * 1024,
      headMs: 15_000,
      requestMs: 300_000,
      idleMs: 65_000,
    },
    idleMs: 300_000,
    drainMs: 30_000,
    responseTimeoutMs: 60_000,
  });
  expect(fdPermits).toBe(defaultFdPermits(undefined));
  expect(fdPermits).toBeLessThanOrEqual(65_536 - 256);
});
