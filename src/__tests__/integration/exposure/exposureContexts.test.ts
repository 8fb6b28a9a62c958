import {
  createHttpMixedClient,
  globals,
  nodeExposure,
  r,
  run,
  useExposureContext,
  type ContextSelection,
  type TunnelRunner,
} from "../../../node/index";
import { appOf } from "../../support/appOf";
import { rejectionOf } from "../../support/failures";
import { startExposure, token } from "../../support/exposure";
import { quiet, tunnelOf } from "../../support/tunnelPair";

const tenant = r.asyncContext<string>("app.contexts.tenant").build();
const locale = r.asyncContext<string>("app.contexts.locale").build();
const secret = r.asyncContext<string>("app.contexts.secret").local().build();
const contexts = [tenant, locale, secret];

/** What the other process finds, and what was sent to it. */
const look = r
  .task("look")
  .run(async () => ({
    found: contexts.filter((context) => context.isActive()).map(({ id }) => id),
    sent: Object.keys(JSON.parse(String(useExposureContext().req.headers["x-runner-context"] ?? "{}")) as object),
  }))
  .build();
const noticed = r.event<{ found?: string[] }>("noticed").build();
const notes = r
  .hook("notes")
  .on(noticed)
  .run(async ({ data }) => {
    data.found = contexts.filter((context) => context.isActive()).map(({ id }) => id);
  })
  .build();

const all = { [tenant.id]: '"acme"', [locale.id]: '"fr"', [secret.id]: '"mine"' };
const withAll = <R>(fn: () => R): R =>
  tenant.provide("acme", () => locale.provide("fr", () => secret.provide("mine", fn)));

/** What tasks and hooks find of a caller that sends everything. */
async function foundBy(
  selection: ContextSelection | undefined,
  tunnel?: Pick<TunnelRunner, "contexts" | "allowAsyncContext">,
): Promise<string[]> {
  const more = tunnel ? [tunnelOf("more", { mode: "server", tasks: [look], events: [noticed], ...tunnel })] : [];
  const http = selection === undefined ? {} : { contexts: selection };
  await using exposure = await startExposure([look, noticed], http, [...contexts, notes, ...more]);
  const headers = { "x-runner-context": JSON.stringify(all) };
  const ofTask = await exposure.post("/__runner/task/look", "{}", headers);
  const ofEvent = await exposure.post("/__runner/event/noticed", '{"payload":{},"returnPayload":true}', headers);
  const { result } = (await ofTask.json()) as { result: { found: string[] } };
  expect(await ofEvent.json()).toEqual({ ok: true, result: { found: result.found } });
  return result.found;
}

describe("a local context", () => {
  it("a local context is not accepted from callers, neither by tasks nor by events", async () => {
    expect(await foundBy(undefined)).toEqual([tenant.id, locale.id]);
    expect(await foundBy([secret])).toEqual([]);
  });

  it("a local context is not sent, by no client and whatever it is told", async () => {
    await using exposure = await startExposure([look], {}, contexts);
    const client = createHttpMixedClient({ baseUrl: exposure.handlers.url, auth: { token }, contexts });

    const { sent } = await withAll(() => client.task<void, { sent: string[] }>("look"));

    expect(sent).toEqual([tenant.id, locale.id]);
    await client.close();
  });

  it("a local context works inside its process as any other", () => {
    expect([secret.isLocal, tenant.isLocal]).toEqual([true, false]);
    expect(secret.provide("mine", () => secret.use())).toBe("mine");
    expect(r.asyncContext("c").local().meta({ title: "kept" }).build()).toMatchObject({ isLocal: true });
  });
});

describe("the contexts that a server accepts", () => {
  it.each<[ContextSelection, string[]]>([
    ["all", [tenant.id, locale.id]],
    ["none", []],
    [[tenant], [tenant.id]],
    [[locale.id, "not.registered"], [locale.id]],
    [[], []],
  ])("the contexts that a server accepts are those of http.contexts %j", async (selection, found) => {
    expect(await foundBy(selection)).toEqual(found);
  });

  it.each<[Pick<TunnelRunner, "contexts" | "allowAsyncContext">, string[]]>([
    [{ contexts: "none" }, []],
    [{ contexts: [tenant] }, [tenant.id]],
    [{ contexts: [tenant], allowAsyncContext: false }, []],
    [{ contexts: "all" }, [tenant.id, locale.id]],
  ])("the contexts that a server accepts are those on which all tunnels of a task agree %#", async (tunnel, found) => {
    expect(await foundBy("all", tunnel)).toEqual(found);
  });

  it("the contexts that a server accepts have to be named by the exposure and by the tunnel", async () => {
    expect(await foundBy([locale], { contexts: [tenant] })).toEqual([]);
    expect(await foundBy([locale, tenant], { contexts: [tenant] })).toEqual([tenant.id]);
  });

  it("the contexts that a server accepts are named by the builder of tunnels as well", async () => {
    const opened = r.tunnel.server("opened").tasks([look]).contexts([tenant]).build();
    await using exposure = await startExposure([], {}, [look, ...contexts, opened]);

    const reply = await exposure.post("/__runner/task/look", "{}", { "x-runner-context": JSON.stringify(all) });

    expect(((await reply.json()) as { result: { found: string[] } }).result.found).toEqual([tenant.id]);
  });

  it("the contexts that a server accepts are checked where they are written", async () => {
    expect(() => nodeExposure.with({ http: { contexts: "some" as never } })).toThrow(
      'http.contexts must be "all", "none"',
    );
    const odd = tunnelOf("odd", { mode: "server", tasks: [], contexts: [7] as never });
    expect((await rejectionOf(run(appOf(odd), quiet))).message).toMatch(/Tunnel contexts must be "all", "none"/);
  });
});

describe("the contexts that a client sends", () => {
  async function sentBy(selection: ContextSelection | undefined): Promise<string[]> {
    await using exposure = await startExposure([look], {}, contexts);
    const routed = r.tunnel
      .client("routed")
      .tasks([look])
      .http({ baseUrl: exposure.handlers.url, auth: { token }, contexts: selection })
      .build();
    await using app = await run(appOf(look, ...contexts, routed), quiet);
    return (await withAll(() => app.runTask(look))).sent;
  }

  it.each<[ContextSelection | undefined, string[]]>([
    [undefined, [tenant.id, locale.id]],
    ["all", [tenant.id, locale.id]],
    ["none", []],
    [[locale], [locale.id]],
    [[tenant.id, secret], [tenant.id]],
  ])("the contexts that a client sends are those of its option contexts %#", async (selection, sent) => {
    expect(await sentBy(selection)).toEqual(sent);
  });

  it.each([
    ["some", 'contexts must be "all", "none"'],
    [["app.contexts.typo"], 'contexts names "app.contexts.typo", which is not registered'],
  ])("the contexts that a client sends are checked when it is made %#", async (selection, message) => {
    const reader = r
      .resource("reader")
      .dependencies({ create: globals.resources.httpClientFactory })
      .init(async (_config: void, { create }) =>
        create({ baseUrl: "http://127.0.0.1:9/__runner", contexts: selection as ContextSelection }),
      )
      .build();

    expect((await rejectionOf(run(appOf(reader), quiet))).message).toContain(message);
  });
});
