import { mistakes, setup } from "./support/typeMistakes";
import { createVirtualProgram, mistakesIn } from "./support/virtualProgram";

it("type errors name what is wrong, one for each mistake", () => {
  const path = "src/__tests__/mistakes.ts";
  const program = createVirtualProgram(new Map([[path, [setup, ...mistakes.map(([code]) => code)].join("\n")]]));

  const found = mistakesIn(program, path);

  const setupLines = setup.split("\n").length;
  expect(found.map(({ line }) => mistakes[line - setupLines]?.[0])).toEqual(mistakes.map(([code]) => code));
  for (const [index, { message }] of found.entries()) expect(message).toContain(mistakes[index]?.[1]);
}, 60_000);
