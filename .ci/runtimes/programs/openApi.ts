import { fetchExposure, r, run } from "@bluelibs/runner";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Validator } from "@seriousme/openapi-schema-validator";
import { z } from "zod";

/** What two validators say of the OpenAPI document of an application that has everything a document can be made from. */

const tree: z.ZodType = z.lazy(() => z.object({ name: z.string(), children: z.array(tree) }));
const poor = r
  .error("app.errors.poor")
  .dataSchema(z.object({ missing: z.number() }))
  .httpCode(402)
  .build();
const tangled = r
  .error("app.errors.tangled ü")
  .dataSchema(z.object({ in: tree, since: z.date() }))
  .build();
const ids = ["app.tasks.odd id/with?signs", "app.tasks.ünï"];
const items = [
  poor,
  tangled,
  r
    .task("app.tasks.charge")
    .inputSchema(z.object({ amount: z.number().min(1), currency: z.enum(["EUR", "CHF"]).default("EUR"), at: z.date() }))
    .resultSchema(z.object({ total: z.bigint(), parts: z.map(z.string(), z.set(z.number())) }))
    .throws([poor, tangled, "app.errors.elsewhere"])
    .run(async () => ({ total: 1n, parts: new Map() }))
    .build(),
  r
    .task("app.tasks.tree")
    .inputSchema(tree)
    .resultSchema(z.array(tree))
    .run(async () => [])
    .build(),
  r
    .task("app.tasks.rows")
    .inputSchema(z.object({ to: z.number() }))
    .stream(async function* () {
      yield { id: 1 };
    })
    .itemSchema(z.object({ id: z.int() }))
    .build(),
  r
    .task("app.tasks.ticks")
    .stream(async function* () {
      yield 1;
    })
    .build(),
  r
    .task("app.tasks.import")
    .itemInput(z.object({ id: z.int() }))
    .run(async (input: string) => input)
    .build(),
  r
    .task("app.tasks.duplex")
    .itemInput(tree)
    .stream(async function* (input: string) {
      yield input;
    })
    .build(),
  r
    .task("app.tasks.old")
    .inputSchema({ parse: (value: unknown) => value })
    .run(async () => 1)
    .build(),
  ...ids.map((id) =>
    r
      .task(id)
      .run(async () => 1)
      .build(),
  ),
  r
    .event("app.events.placed")
    .payloadSchema(z.union([z.strictObject({ amount: z.number() }), z.tuple([z.string(), z.null()])]))
    .build(),
  r.event("app.events.bare").build(),
];
const heard = r.event("app.events.heard").payloadSchema(tree).build();
const of = (kind: string) => items.filter((item) => item.kind === kind).map(({ id }) => id);
const server = r.tunnel
  .server("app.server")
  .tasks(of("task"))
  .events(of("event"))
  .subscribable(["app.events.bare", "app.events.heard"])
  .build();
const http = { auth: { token: "s3cret" }, openapi: "/openapi.json" };
await using app = await run(
  r
    .resource("app")
    .register([...items, heard, server, fetchExposure.with({ http })])
    .build(),
  { shutdownHooks: false, logs: { printThreshold: null } },
);
const reply = await app
  .getResourceValue(fetchExposure)
  .fetch(new Request("http://edge.test/openapi.json", { headers: { "x-runner-token": "s3cret" } }));
const source = await reply.text();

const config = await createConfig({ extends: ["spec"] });
async function problemsOf(text: string): Promise<{ schema: unknown; spec: unknown[] }> {
  const { valid, errors } = await new Validator().validate(JSON.parse(text));
  const found = await lintFromString({ source: text, config });
  return {
    schema: valid ? [] : errors,
    spec: found.map(({ ruleId, message, location: [place] }) => `${ruleId} ${place?.pointer}: ${message}`),
  };
}
const broken = source.replace('"requestBody":{"required":true', '"requestBody":{"required":"yes"');
const { paths } = JSON.parse(source) as { paths: object };
console.log(
  JSON.stringify({ paths: Object.keys(paths), ours: await problemsOf(source), broken: await problemsOf(broken) }),
);
