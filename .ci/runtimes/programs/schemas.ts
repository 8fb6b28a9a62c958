import { createHttpClient, fetchExposure, r, run } from "@bluelibs/runner";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import { Schema } from "effect";
import * as v from "valibot";
import { z } from "zod";

/** Tasks with schemas of several libraries: what they accept and give, and what a contract says of them. Prints JSON. */

const effectSchema = Schema.Struct({ amount: Schema.Finite, note: Schema.optionalKey(Schema.String) });
const effect = Schema.toStandardJSONSchemaV1(Schema.toStandardSchemaV1(effectSchema));

const tasks = {
  zod: r
    .task("app.zod")
    .inputSchema(z.object({ amount: z.number(), note: z.string().optional() }))
    .run(async ({ amount, note }) => ({ doubled: amount * 2, note: note?.length }))
    .build(),
  arktype: r
    .task("app.arktype")
    .inputSchema(type({ amount: "number", "note?": "string" }))
    .run(async ({ amount, note }) => ({ doubled: amount * 2, note: note?.length }))
    .build(),
  valibot: r
    .task("app.valibot")
    .inputSchema(toStandardJsonSchema(v.object({ amount: v.number(), note: v.optional(v.string()) })))
    .run(async ({ amount, note }) => ({ doubled: amount * 2, note: note?.length }))
    .build(),
  effect: r
    .task("app.effect")
    .inputSchema(effect)
    .run(async ({ amount, note }) => ({ doubled: amount * 2, note: note?.length }))
    .build(),
  /** Validates, and describes nothing. */
  undescribed: r
    .task("app.undescribed")
    .inputSchema(v.object({ amount: v.number() }))
    .run(async ({ amount }) => ({ doubled: amount * 2 }))
    .build(),
  /** What JSON has no words for. */
  tagged: r
    .task("app.tagged")
    .inputSchema(z.object({ amount: z.number(), at: z.date(), big: z.bigint(), map: z.map(z.string(), z.number()) }))
    .run(async ({ amount, at, big, map }) => ({ doubled: amount * 2, year: at.getUTCFullYear(), big, size: map.size }))
    .build(),
};

const listed = Object.values(tasks);
const server = r.tunnel
  .server("app.server")
  .tasks([...listed])
  .build();
const http = { auth: { token: "s3cret" }, contract: "schemas", openapi: "/openapi.json" } as const;
const app = await run(
  r
    .resource("app")
    .register([...listed, server, fetchExposure.with({ http })])
    .build(),
  { shutdownHooks: false, logs: { printThreshold: null } },
);
const edge = app.getResourceValue(fetchExposure);
const client = createHttpClient({
  baseUrl: "http://edge.test/__runner",
  auth: http.auth,
  fetchImpl: async (url, init) => edge.fetch(new Request(url, init)),
});

const inputOf = (amount: unknown) => ({ amount, at: new Date(0), big: 2n, map: new Map([["a", 1]]) });
const given = (name: string, amount: unknown) => (name === "tagged" ? inputOf(amount) : { amount });
const outcomes: Record<string, unknown> = {};
for (const [name, { id }] of Object.entries(tasks)) {
  const good = await client.task(id, given(name, 21));
  const bad = await client.safe(id, given(name, "many"));
  outcomes[name] = {
    doubled: (good as { doubled: number }).doubled,
    code: bad.ok ? undefined : (bad.error as { code?: string }).code,
  };
}

let refused: unknown;
try {
  const describing: unknown = Schema.toStandardJSONSchemaV1(Schema.Struct({ only: Schema.Finite }));
  r.task("app.described")
    .inputSchema(describing as z.ZodType)
    .run(async () => {})
    .build();
} catch (error) {
  refused = (error as Error).message;
}

const { contract } = (await client.discover()) as { contract: { lock: unknown } };
const document = await edge.fetch(
  new Request("http://edge.test/openapi.json", { headers: { "x-runner-token": "s3cret" } }),
);
console.log(JSON.stringify({ outcomes, refused, lock: contract.lock, openapi: await document.json() }));
await app.dispose();
