// Repairs dist/**/*.d.ts. tsup bundles declarations per chunk and turns a type that the `definitions` namespace takes from
// another chunk into `declare const definitions_X: typeof X`, which is no type. An import under that name is one.
// It does the same to a value of the chunk itself that is a type and a namespace as well, as an enumeration is.
// Declarations also refer to the types they need beyond ES2022, so that `lib` and `types` of users need not name them.
// Those for ES modules pass on those for CommonJS: a type is one and the same whichever way it was imported, and the
// package holds it once.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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

/** The declarations of an entry stand beside its code; chunks that entries share do not. */
const isEntry = (file) => readdirSync(dirname(file)).includes(basename(file).replace(".d.ts", ".js"));

for (const path of readdirSync(dist, { recursive: true }).filter((path) => /\.d\.c?ts$/.test(path))) {
  const file = join(dist, path);
  const text = readFileSync(file, "utf8");
  const imports = readImports(text);
  const namespaces = new Set([...text.matchAll(/^declare namespace (\w+) \{$/gm)].map(([, name]) => name));
  const linked = text.replace(/^declare const (\w+): typeof (\w+);$/gm, (declaration, alias, name) => {
    const source = imports.get(name);
    if (source) return `import { ${source.exported} as ${alias} } from ${source.from};`;
    return namespaces.has(name) ? `import ${alias} = ${name};` : declaration;
  });
  const complete = referencesOf(linked) + linked;
  if (complete !== text) writeFileSync(file, complete);
}

for (const path of readdirSync(dist, { recursive: true }).filter((path) => path.endsWith(".d.ts"))) {
  const file = join(dist, path);
  if (!isEntry(file)) rmSync(file);
  else writeFileSync(file, `export * from "./${basename(file).replace(".d.ts", ".cjs")}";\n`);
}
