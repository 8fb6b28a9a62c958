import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { createTempProject, type TempProject } from "../../../__tests__/support/tempProject";
import { defaultScanLimits, scanSources, type ScanLimits } from "./scanSources";

let project: TempProject;
afterEach(() => project.remove());

function scan(limits: Partial<ScanLimits> = {}) {
  const paths: string[] = [];
  const summary = scanSources(project.folder, ({ path }) => void paths.push(path), { ...defaultScanLimits, ...limits });
  return { ...summary, paths };
}

it("scanSources reads sources in a fixed order, and leaves out what others wrote and what a build made", () => {
  project = createTempProject({
    "b.ts": "",
    "a/c.mjs": "",
    "a/d.d.ts": "",
    "a/e.json": "",
    "node_modules/x/index.js": "",
    "dist/b.js": "",
    ".cache/f.js": "",
  });

  expect(scan()).toEqual({ files: 2, notes: [], paths: ["b.ts", "a/c.mjs"] });
});

it("scanSources follows no links, so that a loop of them ends", () => {
  project = createTempProject({ "a/b.js": "" });
  symlinkSync(project.folder, join(project.folder, "a/loop"), "dir");

  expect(scan().paths).toEqual(["a/b.js"]);
});

it("scanSources stops at its limits, and says what it left out", () => {
  project = createTempProject({ "a.js": "1;", "b.js": "1;", "c.js": "x".repeat(100), "deep/er/d.js": "" });

  expect(scan({ maxFiles: 1 })).toMatchObject({ paths: ["a.js"], notes: [expect.stringContaining("after 1 files")] });
  expect(scan({ maxTotalBytes: 3 })).toMatchObject({
    paths: ["a.js", "b.js"],
    notes: [expect.stringContaining("after 3 bytes")],
  });
  expect(scan({ maxFileBytes: 99, maxDepth: 1 })).toEqual({
    files: 2,
    paths: ["a.js", "b.js"],
    notes: ["1 source files of more than 99 bytes were left out."],
  });
});
