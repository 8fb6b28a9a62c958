import { nodeExposure, type NodeExposureConfig, type NodeExposureHttpConfig } from "../../../node/index";
import { thrownBy } from "../../support/failures";

describe("config", () => {
  it.each<[string, unknown]>([
    ["http", 5],
    ["http.basePath", { basePath: 5 }],
    ["http.basePath", { basePath: "/a?b" }],
    ["http.server", { server: "http" }],
    ["http.listen.port", { listen: { port: "80" } }],
    ["http.listen.port", { listen: { port: 70_000 } }],
    ["http.listen.host", { listen: { port: 0, host: "" } }],
    ["http.auth", { auth: "token" }],
    ["http.auth.header", { auth: { header: "bad header" } }],
    ["http.auth.token", { auth: { token: [5] } }],
    ["http.auth.allowAnonymous", { auth: { allowAnonymous: "yes" } }],
    ["http.cors.origin", { cors: { origin: 5 } }],
    ["http.cors.origin", { cors: { origin: "" } }],
    ["http.cors.origin", { cors: { origin: "https://a.test/" } }],
    ["http.cors.origin", { cors: { origin: "a.test" } }],
    ["http.cors.origin", { cors: { origin: ["https://a.test:443"] } }],
    ["http.cors.origin", { cors: { origin: ["https://A.test"] } }],
    ["http.cors.origin", { cors: { origin: ["*"] } }],
    ["http.cors.origin", { cors: { origin: ["https://a.test\r\nx: y"] } }],
    ["http.cors.methods", { cors: { methods: ["PO ST"] } }],
    ["http.cors.allowedHeaders", { cors: { allowedHeaders: ["x-a\r\nx-b"] } }],
    ["http.cors.exposedHeaders", { cors: { exposedHeaders: [""] } }],
    ["http.cors.maxAge", { cors: { maxAge: Infinity } }],
    ["http.cors.maxAge", { cors: { maxAge: 1.5 } }],
    ["http.cors.varyOrigin", { cors: { varyOrigin: "yes" } }],
    ["http.cors.methods", { cors: { methods: "POST" } }],
    ["http.cors.maxAge", { cors: { maxAge: "600" } }],
    ["http.cors.credentials", { cors: { credentials: 1 } }],
    ["http.limits", { limits: 5 }],
    ["http.limits.json.maxSize", { limits: { json: { maxSize: "2mb" } } }],
    ["http.limits.multipart.files", { limits: { multipart: { files: -1 } } }],
    ["http.limits.inFlight", { limits: { inFlight: NaN } }],
    ["http.dangerouslyAllowOpenExposure", { dangerouslyAllowOpenExposure: "true" }],
    ["http.disableDiscovery", { disableDiscovery: 0 }],
    ["http.compression.requests", { compression: { requests: "gzip" } }],
    ["http.compression.responses.threshold", { compression: { responses: { threshold: "1kb" } } }],
  ])("an exposure's config with a bad %s is refused where it is written, naming the field", (field, http) => {
    const error = thrownBy(() => nodeExposure.with({ http: http as NodeExposureHttpConfig }));

    expect(error.message).toContain(`${field} must be `);
  });

  it("an exposure's config with a list of origins one of which is none is refused, showing that one", () => {
    const origin = ["https://b.test", "https://a.test/"];
    const error = thrownBy(() => nodeExposure.with({ http: { cors: { origin } } }));

    expect(error.message).toMatch(/without a path or a slash at its end, .*, got "https:\/\/a\.test\/"\.$/);
  });

  it.each<[string, string, unknown]>([
    ["config.htp", "config.http", { htp: {} }],
    ["http.basepath", "http.basePath", { http: { basepath: "/rpc" } }],
    ["http.limit", "http.limits", { http: { limit: {} } }],
    ["http.listen.hosts", "http.listen.host", { http: { listen: { port: 0, hosts: "::" } } }],
    ["http.auth.tokns", "http.auth.tokens", { http: { auth: { tokns: ["t"] } } }],
    ["http.cors.origins", "http.cors.origin", { http: { cors: { origins: "*" } } }],
    ["http.limits.inflight", "http.limits.inFlight", { http: { limits: { inflight: 5 } } }],
    [
      "http.limits.multipart.filesize",
      "http.limits.multipart.fileSize",
      { http: { limits: { multipart: { filesize: 5 } } } },
    ],
    ["http.compression.response", "http.compression.responses", { http: { compression: { response: true } } }],
  ])("an exposure's config with %s, which does not exist, is refused, naming %s", (key, nearest, config) => {
    const error = thrownBy(() => nodeExposure.with(config as NodeExposureConfig));

    expect(error.message).toContain(`${key} is not known. Did you mean ${nearest}?`);
  });

  it("an exposure's config with a key that is like none is refused, naming those there are", () => {
    const config = { http: { limits: { json: { largest: 5 } } } } as NodeExposureConfig;

    const error = thrownBy(() => nodeExposure.with(config));

    expect(error.message).toContain("http.limits.json.largest is not known. Known are maxSize.");
  });
});
