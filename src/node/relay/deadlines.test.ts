import { createDeferred } from "../../__tests__/support/deferred";
import { soon } from "../../__tests__/support/soon";
import { Deadlines } from "./deadlines";

describe("Deadlines", () => {
  it("come in the order in which they were set, those that are late at once together", async () => {
    const deadlines = new Deadlines(5);
    const late: string[] = [];
    const all = createDeferred<void>();
    deadlines.add(() => late.push("first"));
    deadlines.add(() => late.push("second"));
    deadlines.add(() => all.resolve());

    await soon(all.promise);

    expect(late).toEqual(["first", "second"]);
  });

  it("that were deleted do not come, also where an earlier one deletes them", async () => {
    const deadlines = new Deadlines(5);
    const late: string[] = [];
    const last = createDeferred<void>();
    const deleted = deadlines.add(() => late.push("deleted before"));
    deadlines.add(() => deadlines.delete(next));
    const next = deadlines.add(() => late.push("deleted by another"));
    deadlines.add(() => last.resolve());
    deadlines.delete(deleted);

    await soon(last.promise);

    expect(late).toEqual([]);
  });

  it("that are refreshed come after those that were not", async () => {
    const deadlines = new Deadlines(20);
    const late: string[] = [];
    const last = createDeferred<void>();
    const refreshed = deadlines.add(() => (late.push("refreshed"), last.resolve()));
    deadlines.add(() => late.push("other"));
    deadlines.refresh(refreshed);

    await soon(last.promise);

    expect(late).toEqual(["other", "refreshed"]);
  });

  it("can be set again by one that is late", async () => {
    const deadlines = new Deadlines(1);
    const again = createDeferred<void>();
    deadlines.add(() => void deadlines.add(() => again.resolve()));

    await soon(again.promise);
  });
});
