import { resolveExposureConfig } from "./config";

const resolve = (http: object) => resolveExposureConfig({ http });

describe("resolveProbes", () => {
  it("resolveProbes leaves both paths out by default", () => {
    expect(resolve({}).probes).toEqual({ health: undefined, ready: undefined });
  });

  it("resolveProbes takes paths inside and outside the base path", () => {
    const probes = { health: "/healthz", ready: "/__runner/ready" };

    expect(resolve(probes).probes).toEqual(probes);
  });

  it.each(["healthz", "", "/", "/health/", "/a//b", "/a/../b", "/h?x", "/h%20", "/ü", 7, null])(
    "resolveProbes refuses %p, which no request could have as its path, or in several spellings",
    (health) => {
      expect(() => resolve({ health })).toThrow('http.health must be a path such as "/healthz"');
    },
  );

  it("resolveProbes refuses one path for both", () => {
    expect(() => resolve({ health: "/up", ready: "/up" })).toThrow("give them different paths");
  });

  it.each(["/__runner/task/app.work", "/__runner/event/app.event", "/__runner/discovery"])(
    "resolveProbes refuses %s, where calls arrive",
    (ready) => {
      expect(() => resolve({ ready })).toThrow(`http.ready must not be "${ready}", where calls arrive.`);
    },
  );
});
