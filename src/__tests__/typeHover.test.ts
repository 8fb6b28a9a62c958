import { join } from "node:path";
import ts from "typescript";
import { root } from "./support/root";
import { userOptions } from "./support/virtualProgram";

const path = "src/__tests__/hover.ts";
const code = `import { r } from "@bluelibs/runner";
  const database = r.resource("database").init(async () => ({ size: 1 })).build();
  const a = r.task("a").run(async (input: { id: string }) => input.id.length).build();
  const event = r.event<{ at: number }>("event").build();
  export const b = r.task("b").dependencies({ a, database, event }).run(async (input: string, deps) => [input, deps]).build();
`;

const fileName = join(root, path);
const readFile = (asked: string) => (asked === fileName ? code : ts.sys.readFile(asked));
const service = ts.createLanguageService({
  getCompilationSettings: () => userOptions,
  getScriptFileNames: () => [fileName],
  getScriptVersion: () => "1",
  getScriptSnapshot(asked) {
    const text = readFile(asked);
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
  },
  getCurrentDirectory: () => root,
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: (asked) => asked === fileName || ts.sys.fileExists(asked),
  readFile,
});

/** What an editor shows for a name of the program. */
function hoverOf(name: string): string {
  const info = service.getQuickInfoAtPosition(fileName, code.lastIndexOf(name));
  return ts.displayPartsToString(info?.displayParts);
}

it("an editor shows dependencies as what is called and used, not as definitions", () => {
  const shown = hoverOf("deps]");

  expect(shown).toContain("(input: {\n        id: string;\n    }, options?: TaskCallOptions) => Promise<number>");
  expect(shown).toContain("database: {\n        size: number;\n    }");
  expect(shown).toContain("event: (input: {\n        at: number;\n    }) => Promise<void>");
  expect(shown).not.toMatch(/InjectedMap|Task<|any/);
}, 60_000);

it("an editor shows a task as its input, its result, what it receives and its id, without defaulted parameters", () => {
  const shown = hoverOf("a = ");

  expect(shown).toContain(
    'const a: Task<{\n    id: string;\n}, Promise<number>, {}, {\n    id: string;\n}, "a", undefined>',
  );
}, 60_000);
