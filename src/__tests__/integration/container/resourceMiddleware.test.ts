import { globals, r, run } from "../../../index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";

describe("resource middleware", () => {
  it("resource middleware wraps init: everywhere first, then in written order, interceptors outside", async () => {
    const log: string[] = [];
    const tracing = (id: string) =>
      r.middleware.resource(id).run(async ({ next }) => {
        log.push(id);
        return next();
      });
    const everywhere = tracing("everywhere")
      .everywhere(({ id }) => id === "subject")
      .build();
    const [a, b] = [tracing("a").build(), tracing("b").build()];
    const interceptors = r
      .resource("interceptors")
      .dependencies({ manager: globals.resources.middlewareManager })
      .init(async (_config, { manager }) => {
        for (const name of ["G1", "G2"]) {
          manager.intercept("resource", (next, input) => {
            if (input.resource.definition.id === "subject") log.push(name);
            return next(input);
          });
        }
        for (const name of ["M1", "M2"]) {
          manager.interceptMiddleware(a, (next, input) => {
            log.push(name);
            return next(input);
          });
        }
      })
      .build();
    const subject = r
      .resource("subject")
      .dependencies({ interceptors })
      .middleware([a, b])
      .init(async () => void log.push("init"))
      .build();

    await using app = await run(appOf(everywhere, a, b, interceptors, subject));

    expect(app.store.isLocked).toBe(true);
    expect(log).toEqual(["G1", "G2", "everywhere", "M2", "M1", "a", "b", "init"]);
  });

  it("resource middleware may change the config init receives; the registered config stays", async () => {
    const shifting = r.middleware
      .resource("shifting")
      .run(async ({ resource, next }) => next({ port: (resource.config as { port: number }).port + 1 }))
      .build();
    const server = r
      .resource<{ port: number }>("server")
      .middleware([shifting])
      .init(async ({ port }) => port)
      .build();

    await using app = await run(appOf(shifting, server.with({ port: 1 })));

    expect(app.getResourceValue(server)).toBe(2);
    expect(app.getResourceConfig(server)).toEqual({ port: 1 });
  });

  it("resource middleware tells next() from next(undefined)", async () => {
    const configs: unknown[] = [];
    const dropping = r.middleware
      .resource("dropping")
      .run(async ({ next }) => next(undefined))
      .build();
    const keeping = r.middleware
      .resource("keeping")
      .run(async ({ next }) => next())
      .build();
    const subject = (id: string) => r.resource<{ n: number }>(id).init(async (config) => void configs.push(config));
    const dropped = subject("dropped").middleware([dropping]).build();
    const kept = subject("kept").middleware([keeping]).build();

    await using app = await run(appOf(dropping, keeping, dropped.with({ n: 1 }), kept.with({ n: 1 })));

    expect(app.store.isLocked).toBe(true);
    expect(configs).toEqual([undefined, { n: 1 }]);
  });

  it("resource middleware runs around a resource without init, and may give it a value", async () => {
    const providing = r.middleware
      .resource("providing")
      .run(async ({ next }) => (await next()) ?? "provided")
      .build();
    const empty = r.resource("empty").middleware([providing]).build();

    await using app = await run(appOf(providing, empty));

    expect(app.getResourceValue(empty)).toBe("provided");
  });

  it("resource middleware does not wrap dispose", async () => {
    const log: string[] = [];
    const tracing = r.middleware
      .resource("tracing")
      .run(async ({ next }) => {
        log.push("middleware");
        return next();
      })
      .build();
    const subject = r
      .resource("subject")
      .middleware([tracing])
      .dispose(async () => void log.push("dispose"))
      .build();

    await (await run(appOf(tracing, subject))).dispose();

    expect(log).toEqual(["middleware", "dispose"]);
  });

  it("resource middleware everywhere wraps the root, and never what the framework has from the start", async () => {
    const wrapped: string[] = [];
    const tracing = r.middleware
      .resource("tracing")
      .everywhere(true)
      .dependencies({ logger: globals.resources.logger })
      .run(async ({ resource, next }, { logger }) => {
        wrapped.push(resource.definition.id);
        await logger.debug("wrapped");
        return next();
      })
      .build();

    await using app = await run(appOf(tracing, r.resource("child").build()));

    expect(app.store.isLocked).toBe(true);
    expect(wrapped.filter((id) => !id.startsWith("globals."))).toEqual(["child", "app"]);
    expect(wrapped).not.toContain("globals.resources.logger");
    expect(wrapped).not.toContain("globals.resources.store");
  });

  it("resource middleware receives its dependencies and its own config", async () => {
    const clock = r
      .resource("clock")
      .init(async () => 42)
      .build();
    const stamping = r.middleware
      .resource<{ prefix: string }>("stamping")
      .dependencies({ clock })
      .run(async ({ next }, { clock }, { prefix }) => `${prefix}${clock}${String(await next())}`)
      .build();
    const subject = r
      .resource("subject")
      .middleware([stamping.with({ prefix: "@" })])
      .init(async () => "!")
      .build();

    await using app = await run(appOf(clock, stamping, subject));

    expect(app.getResourceValue(subject)).toBe("@42!");
  });
});

describe("a resource that fails to initialise", () => {
  it.each([0, 2])(
    "a resource that fails to initialise is reported once, with %i middleware around it",
    async (count) => {
      const reports: unknown[] = [];
      const layers = Array.from({ length: count }, (_, index) =>
        r.middleware
          .resource(`layer${index}`)
          .run(async ({ next }) => next())
          .build(),
      );
      const broken = r
        .resource("broken")
        .middleware(layers)
        .init(() => Promise.reject(new Error("boom")))
        .build();

      const error = await rejectionOf(
        run(appOf(...layers, broken), { onUnhandledError: (info) => void reports.push(info) }),
      );

      expect(reports).toEqual([{ error, kind: "resourceInit", source: "broken" }]);
    },
  );
});
