/** The import directions of ARCHITECTURE.md, "Layers". Arrows go down only, and no cycles, types included. */

const lower = {
  lib: [],
  errors: ["lib"],
  platform: ["lib"],
  define: ["lib", "errors", "platform"],
  serializer: ["lib", "errors", "platform"],
  runtime: ["lib", "errors", "platform", "define"],
  relay: ["lib", "errors"],
  tunnels: ["lib", "errors", "platform", "define", "serializer", "runtime"],
  globals: ["lib", "errors", "platform", "define", "serializer", "runtime", "tunnels"],
  node: ["lib", "errors", "platform", "define", "serializer", "runtime", "relay", "tunnels", "globals"],
};

/** Files of a layer that may import one thing above or beside it. */
const exceptions = [
  { from: "define/asyncContext", to: "serializer/(codec|lightSerializer)" },
  { from: "platform/(platform|storages)", to: "errors/runErrors" },
  { from: "node/(index|cli/migrate/publicApi|nats/runParts|otel/otelTracing)", to: "(index|late|run)" },
];

/** Layers above `runtime` that use its types alone: everything else is handed to them. */
const usersOfRuntimeTypes = ["tunnels", "globals"];

/** Each package has one home, and loads only with the feature that lives there. */
const homes = {
  "@nats-io/jetstream": "node/nats/loadNats",
  "@nats-io/kv": "node/nats/loadNats",
  "@nats-io/obj": "node/nats/loadNats",
  "@nats-io/transport-node": "node/nats/loadNats",
  "@opentelemetry/api": "node/otel/loadApi",
  busboy: "node/exposure/form/formParsers",
  cookie: "node/exposure/cookies",
  jose: "node/relay/gates/jwt",

  "lru-cache": "globals/lruCache",
  multipasta: "tunnels/fetch/form/formParser",
  undici: "node/undici",
  ws: "node/relay/wsLink",
};

/** Rooms inside a layer, and the other rooms each may import. Files beside the rooms serve all of them. */
const lowerRooms = {
  runtime: { plan: [], events: ["plan"], link: ["plan", "events"], run: ["plan", "events", "link"] },
  tunnels: {
    protocol: [],
    files: ["protocol"],
    routing: ["protocol", "contract"],
    contract: ["protocol"],
    server: ["protocol", "files", "routing", "contract"],
    http: ["protocol", "routing", "server"],
    fetch: ["protocol", "routing", "server", "http"],
    client: ["protocol", "files", "routing"],
    pool: ["protocol", "client"],
    transports: ["protocol", "files", "client"],
  },
  node: {
    files: [],
    client: ["files"],
    server: [],
    cli: ["nats"],
    exposure: ["files", "server"],
    relay: ["server"],
    otel: [],
    nats: ["server"],
  },
};

const tests = String.raw`^src/__tests__/|\.test(-d)?\.ts$`;
const file = (pattern) => String.raw`^src/${pattern}\.ts$`;
const folder = (names) => `^src/(${names.join("|")})/`;
const npm = (name) => `(^|/)node_modules/(@types/)?${name}/`;

const layers = Object.entries(lower).map(([layer, allowed]) => {
  const granted = exceptions.filter(({ from }) => from.startsWith(`${layer}/`));
  return {
    name: `layer-${layer}`,
    comment: `${layer} imports ${allowed.join(", ") || "nothing"}`,
    severity: "error",
    from: { path: folder([layer]), pathNot: [tests, ...granted.map(({ from }) => file(from))] },
    to: { path: "^src/", pathNot: folder([layer, ...allowed]) },
  };
});

const grants = exceptions.map(({ from, to }) => {
  const layer = from.split("/")[0];
  return {
    name: `layer-${layer}-exception`,
    comment: `${from} may import ${to} besides what ${layer} may`,
    severity: "error",
    from: { path: file(from) },
    to: { path: "^src/", pathNot: [folder([layer, ...lower[layer]]), file(to)] },
  };
});

const runtimeAsTypes = usersOfRuntimeTypes.map((layer) => ({
  name: `runtime-as-types-in-${layer}`,
  severity: "error",
  from: { path: folder([layer]), pathNot: tests },
  to: { path: folder(["runtime"]), dependencyTypesNot: ["type-only"] },
}));

const rooms = Object.entries(lowerRooms).flatMap(([layer, lowerOf]) =>
  Object.entries(lowerOf).map(([room, allowed]) => ({
    name: `room-${layer}-${room}`,
    comment: `${layer}/${room} imports ${allowed.join(", ") || "no other room"}`,
    severity: "error",
    from: { path: `^src/${layer}/${room}/`, pathNot: tests },
    to: { path: `^src/${layer}/(?!(${[room, ...allowed].join("|")})/)[^/]+/` },
  })),
);

const packages = Object.entries(homes).map(([name, home]) => ({
  name: `home-of-${name}`,
  comment: `${name} is imported by ${home} only; its types anywhere under src/node`,
  severity: "error",
  from: { path: "^src/", pathNot: [tests, file(home)] },
  to: { path: npm(name), dependencyTypesNot: ["type-only"] },
}));

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    ...layers,
    ...grants,
    ...runtimeAsTypes,
    ...rooms,
    {
      name: "universal-entry",
      comment: "what the entry . is composed of never reaches src/node",
      severity: "error",
      from: { path: file("[^/]+"), pathNot: tests },
      to: { path: folder(["node"]) },
    },
    {
      name: "node-only-in-node",
      severity: "error",
      from: { path: "^src/", pathNot: [tests, folder(["node"])] },
      to: { dependencyTypes: ["core"] },
    },
    ...packages,
    {
      name: "package-types-in-node",
      comment: "declarations of the universal entry never mention a package",
      severity: "error",
      from: { path: "^src/", pathNot: [tests, folder(["node"]), file(homes["lru-cache"]), file(homes.multipasta)] },
      to: { path: "node_modules/" },
    },
    {
      name: "known-packages",
      comment: "a new runtime dependency gets a home above",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { path: "node_modules/", pathNot: [...Object.keys(homes).map(npm), npm("node")] },
    },
    {
      name: "tests-stay-out",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { path: tests },
    },
    {
      name: "stories-use-entries",
      comment: "integration tests see what a user sees",
      severity: "error",
      from: { path: "^src/__tests__/integration/" },
      to: {
        path: "^src/",
        pathNot: ["^src/__tests__/", file("((node|errors|node/otel|node/nats)/)?index"), file("platform/createFile")],
      },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    // Some packages have no `main`.
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
  },
};
