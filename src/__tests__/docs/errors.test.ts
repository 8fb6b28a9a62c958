import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as bootErrors from "../../errors/bootErrors";
import * as cancellation from "../../errors/cancellation";
import * as deadlineExceeded from "../../errors/deadlineExceeded";
import { isErrorHelper } from "../../errors/defineError";
import * as idempotencyErrors from "../../errors/idempotencyErrors";
import * as middlewareErrors from "../../errors/middlewareErrors";
import * as entry from "../../errors/index";
import * as runErrors from "../../errors/runErrors";
import * as wireErrors from "../../errors/wireErrors";
import { root } from "../support/root";

const page = readFileSync(join(root, "readmes/ERRORS.md"), "utf8");

/** Each row's cells, for the rows whose first cell is code that matches. */
function rowsOf(first: RegExp): string[][] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    )
    .filter(([cell = ""]) => first.test(cell));
}

const idsOf = (...catalogues: readonly object[]): string[] =>
  catalogues
    .flatMap((catalogue): unknown[] => Object.values(catalogue))
    .filter(isErrorHelper)
    .map(({ id }) => id)
    .sort();

describe("the catalogue in ERRORS.md", () => {
  const rows = rowsOf(/^`runner\./);

  it("the catalogue in ERRORS.md lists every error of the catalogues, each once", () => {
    const listed = rows.map(([id = ""]) => id.slice(1, -1)).sort();

    expect(listed).toEqual(
      idsOf(bootErrors, runErrors, middlewareErrors, cancellation, deadlineExceeded, idempotencyErrors),
    );
  });

  it("the catalogue in ERRORS.md says when each is thrown, and what its data is", () => {
    const silent = rows.filter(([, when, data]) => !when || !data).map(([id]) => id);

    expect(silent).toEqual([]);
  });

  it("the catalogue in ERRORS.md lists nothing that the entry ./errors leaves out", () => {
    expect(idsOf(entry)).toEqual(
      idsOf(bootErrors, runErrors, middlewareErrors, cancellation, deadlineExceeded, idempotencyErrors),
    );
  });
});

describe("the codes in ERRORS.md", () => {
  it("the codes in ERRORS.md are those a server refuses with, with their statuses", () => {
    const refusals = Object.values(wireErrors).flatMap((each): wireErrors.WireFailure[] => {
      return Object.hasOwn(each, "prototype") ? [] : [(each as (...parts: string[]) => wireErrors.WireFailure)()];
    });
    const known = new Set(refusals.map(({ code, status }) => `${code} ${status}`));

    const listed = rowsOf(/^`[A-Z_]+`$/)
      .filter(([, status]) => status)
      .map(([code = "", status = ""]) => `${code.slice(1, -1)} ${status}`);

    // These have codes of their own, but no entries: their messages are made from the errors of the run.
    expect([...listed].sort()).toEqual([...known, "VALIDATION_ERROR 400", "DEADLINE_EXCEEDED 504"].sort());
  });
});
