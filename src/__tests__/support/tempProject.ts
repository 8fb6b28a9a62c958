import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "./root";

/** A project of its own in a temporary folder. */
export interface TempProject {
  readonly folder: string;
  write(files: Readonly<Record<string, string>>): void;
  /** Makes a package of our `node_modules` one of the project's, under its own or another name. */
  link(installed: string, as?: string): void;
  remove(): void;
}

/** @param files by path; `package.json` says "ES modules" where it is left out */
export function createTempProject(files: Readonly<Record<string, string>>): TempProject {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "runner-project-")));
  const write: TempProject["write"] = (written) => {
    for (const [path, text] of Object.entries(written)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  };
  write({ "package.json": JSON.stringify({ name: "shop", type: "module" }), ...files });
  return {
    folder,
    write,
    link(installed, as = installed) {
      const path = join(folder, "node_modules", as);
      mkdirSync(dirname(path), { recursive: true });
      symlinkSync(join(root, "node_modules", installed), path, "dir");
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
