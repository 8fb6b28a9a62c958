import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/root";

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
}

const lockFiles = [
  "package-lock.json",
  "bench/package-lock.json",
  ".ci/relay/package-lock.json",
  ".ci/runtimes/package-lock.json",
];
const readLock = (file: string): LockFile => JSON.parse(readFileSync(join(root, file), "utf8")) as LockFile;

/** Where npm finds a package, seen from another: in its own folder, or in one further out. */
function isLocked(name: string, from: string, { packages }: LockFile): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    if (`${folder === "" ? "" : `${folder}/`}node_modules/${name}` in packages) return true;
    if (folder === "") return false;
  }
}

// npm drops packages for other platforms from a lock file at times, and then refuses to install from it.
it.each(lockFiles)("%s names whatever its packages depend on, for every platform", (file) => {
  const lock = readLock(file);

  const missing = Object.entries(lock.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(name, path, lock))
      .map((name) => `${path} needs ${name}`),
  );

  expect(missing).toEqual([]);
});

it.each(lockFiles)("%s names no registry", (file) => {
  const resolved = Object.values(readLock(file).packages).filter((entry) => entry.resolved !== undefined);

  expect(resolved).toEqual([]);
});
