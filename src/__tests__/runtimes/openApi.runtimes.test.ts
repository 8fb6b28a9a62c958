import { startProgram } from "./support/project";

interface Problems {
  readonly schema: unknown;
  readonly spec: readonly string[];
}

it("the OpenAPI document of everything that can be called is valid under two validators, both of which see a mistake", async () => {
  await using program = startProgram([process.execPath, "openApi.mjs"]);
  const line = await program.line(/^(\{.*\})$/);
  const { paths, ours, broken } = JSON.parse(line) as { paths: string[]; ours: Problems; broken: Problems };

  expect(paths).toHaveLength(12);
  expect(ours).toEqual({ schema: [], spec: [] });
  expect(broken.schema).not.toEqual([]);
  expect(broken.spec).not.toEqual([]);
  expect(await program.ended).toBe(0);
}, 60_000);
