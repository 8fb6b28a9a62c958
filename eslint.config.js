import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import js from "@eslint/js";
import jest from "eslint-plugin-jest";
import jsdoc from "eslint-plugin-jsdoc";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";
import runner from "./.ci/lintRules.mjs";

const tests = ["**/*.test.ts", "**/*.test-d.ts", "src/__tests__/**/*.ts"];
const nodeOnly = ["src/node/**"];
/** Listed in ARCHITECTURE.md: `export * from ".."` of the superset entry and the two namespaces of the main one. */
const mayExportAll = ["src/node/index.ts", "src/index.ts", "src/late.ts", "src/shared.ts"];

const noEnum = { selector: "TSEnumDeclaration", message: "Use a union of literals." };
const noDefaultExport = { selector: "ExportDefaultDeclaration", message: "Export by name." };
const noExportAll = { selector: "ExportAllDeclaration", message: "Re-export by name; only entries may export all." };
const noModuleState = {
  selector: ":matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration[kind='let']",
  message:
    "No mutable module state; the few allowed places say why in a disable comment and are listed in ARCHITECTURE.md.",
};
const noAsAny = {
  selector: "TSAsExpression > TSAnyKeyword",
  message: "A test that needs `as any` tests the wrong type.",
};
const inSource = [noEnum, noDefaultExport, noExportAll, noModuleState];

export default defineConfig(
  { ignores: ["dist/", "coverage/", "bench/node_modules/", "bench/results/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  tseslint.configs.recommended,
  {
    plugins: { runner },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-else-return": ["error", { allowElseIf: false }],
      "no-param-reassign": "error",
      "runner/todo-with-issue": "error",
    },
  },
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-unnecessary-type-assertion": "error",
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],

      "@typescript-eslint/max-params": ["error", { max: 4 }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      // `{}` is the empty dependency map and the neutral element of intersections.
      "@typescript-eslint/no-empty-object-type": "off",
      // Replaced by a rule that knows the idioms a package of types needs.
      "@typescript-eslint/no-explicit-any": "off",
      "runner/explained-any": "error",
      "no-restricted-syntax": ["error", noEnum],
    },
  },
  {
    // Not part of the program: their packages are in .ci/runtimes. `npm run test:runtimes` compiles them.
    files: ["examples/tunnels/mounting/**/*.ts", "examples/edge/**/*.ts", ".ci/runtimes/programs/*.ts"],
    ...tseslint.configs.disableTypeChecked,
  },
  {
    files: ["src/**/*.ts"],
    ignores: tests,
    rules: {
      "no-console": "error",
      "no-restricted-syntax": ["error", ...inSource],
      "runner/plain-comments": "error",
      "runner/pure-top-level": "error",
    },
  },
  {
    // Programs, which act when they are loaded, and what they alone import: no application bundles it.
    files: ["src/node/cli/**/*.ts"],
    rules: { "runner/pure-top-level": "off" },
  },
  {
    files: mayExportAll,
    rules: { "no-restricted-syntax": ["error", ...inSource.filter((rule) => rule !== noExportAll)] },
  },
  {
    files: ["src/**/*.ts"],
    ignores: [...tests, ...nodeOnly],
    rules: {
      // The types of Node are in scope everywhere; its globals are not in a browser.
      "no-restricted-globals": [
        "error",
        "Buffer",
        "global",
        "process",
        "require",
        "module",
        "setImmediate",
        "__dirname",
      ],
    },
  },
  ...[...publicNames()].map(([file, names]) => ({
    files: [file],
    plugins: { jsdoc },
    settings: { jsdoc: { mode: "typescript" } },
    rules: {
      "jsdoc/require-jsdoc": [
        "error",
        {
          require: { FunctionDeclaration: false },
          contexts: [
            ...["FunctionDeclaration", "ClassDeclaration", "TSInterfaceDeclaration"].map(
              (type) => `ExportNamedDeclaration > ${type}[id.name=/^(?:${names.join("|")})$/]`,
            ),
            `ExportNamedDeclaration[declaration.declarations.0.id.name=/^(?:${names.join("|")})$/]`,
          ],
          checkConstructors: false,
          enableFixer: false,
        },
      ],
      "jsdoc/informative-docs": "error",
      "jsdoc/no-types": "error",
      "jsdoc/check-param-names": ["error", { disableMissingParamChecks: true }],
    },
  })),
  {
    files: tests,
    plugins: { jest },
    rules: {
      "jest/no-disabled-tests": "error",
      "jest/no-export": "off",
      "jest/no-focused-tests": "error",
      "jest/no-identical-title": "error",
      "jest/valid-expect": "error",
      "jest/valid-expect-in-promise": "error",
      "jest/no-restricted-matchers": [
        "error",
        {
          toBeTruthy: "Say which value is meant.",
          toBeFalsy: "Say which value is meant.",
          toMatchSnapshot: "Assert what the test is about.",
          toMatchInlineSnapshot: "Assert what the test is about.",
        },
      ],
      "no-restricted-syntax": ["error", noEnum, noAsAny],
      "@typescript-eslint/max-params": "off",
    },
  },
  {
    files: ["**/*.test-d.ts"],
    // A value may be there for its type alone.
    rules: { "@typescript-eslint/no-unused-vars": "off" },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: {
      globals: {
        AbortController: "readonly",
        clearTimeout: "readonly",
        console: "readonly",
        fetch: "readonly",
        module: "readonly",
        performance: "readonly",
        process: "readonly",
        require: "readonly",
        setTimeout: "readonly",
        URL: "readonly",
      },
    },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
);

/** What the entries export, by the file that declares it; read from the entries and the files they pass on. */
function publicNames() {
  const names = new Map();
  const visit = (file) => {
    for (const [, list, specifier] of readFileSync(file, "utf8").matchAll(
      /^export (?:type )?(?:\* as \w+|\*|\{([^}]*)\}) from "(\.[^"]+)";/gm,
    )) {
      const target = join(dirname(file), specifier);
      const source = [`${target}.ts`, join(target, "index.ts")].find((path) => existsSync(path));
      if (!source) continue;
      if (list === undefined) visit(source);
      // The header of this file speaks for all of its symbols.
      else if (source !== "src/lib/symbols.ts") {
        const exported = [...list.matchAll(/(?:type )?(\w+)(?: as \w+)?,?/g)].map(([, name]) => name);
        names.set(source, [...new Set([...(names.get(source) ?? []), ...exported])]);
      }
    }
  };
  ["src/index.ts", "src/late.ts", "src/node/index.ts", "src/errors/index.ts"]
    .filter((entry) => existsSync(entry))
    .forEach(visit);
  return names;
}
