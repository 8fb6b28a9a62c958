// Repairs dist/**/*.d.ts. tsup bundles declarations per chunk and turns a type that the `definitions` namespace takes from
// another chunk into `declare const definitions_X: typeof X`, which is no type. An import under that name is one.
// Declarations also refer to the types they need beyond ES2022, so that `lib` and `types` of users need not name them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist");

/** Where the names come from that a declaration file imports from other chunks. */
function readImports(text) {
  const imports = [...text.matchAll(/^import \{ ([^}]*) \} from ('\.[^']*');$/gm)];
  return new Map(
    imports.flatMap(([, names, from]) =>
      names.split(", ").map((name) => {
        const [exported, local = exported] = name.split(" as ");
        return [local, { exported, from }];
      }),
    ),
  );
}

/** The references to types outside this package that a declaration file needs. */
function referencesOf(text) {
  return [
    /\bSymbol\.(?:asyncD|d)ispose\b|\b(?:Async)?Disposable\b/.test(text) &&
      '/// <reference lib="esnext.disposable" />\n',
    / from 'node:/.test(text) && '/// <reference types="node" />\n',
  ]
    .filter((reference) => reference && !text.includes(reference))
    .join("");
}

for (const path of readdirSync(dist, { recursive: true }).filter((path) => /\.d\.c?ts$/.test(path))) {
  const file = join(dist, path);
  const text = readFileSync(file, "utf8");
  const imports = readImports(text);
  const linked = text.replace(/^declare const (\w+): typeof (\w+);$/gm, (declaration, alias, name) => {
    const source = imports.get(name);
    return source ? `import { ${source.exported} as ${alias} } from ${source.from};` : declaration;
  });
  const complete = referencesOf(linked) + linked;
  if (complete !== text) writeFileSync(file, complete);
}
