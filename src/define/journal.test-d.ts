import { expectTypeOf } from "expect-type";
import { journal, type ExecutionJournal, type JournalKey } from "../index";

declare const entries: ExecutionJournal;
const count = journal.createKey<number>("count");

// Row 51 (the framework's own keys come with its middleware).
expectTypeOf(count).toEqualTypeOf<JournalKey<number>>();
entries.set(count, 1, { override: true });
// @ts-expect-error -- the key is for numbers
entries.set(count, "x");
expectTypeOf(entries.get(count)).toEqualTypeOf<number | undefined>();
expectTypeOf(entries.has(count)).toEqualTypeOf<boolean>();
expectTypeOf(journal.create()).toEqualTypeOf<ExecutionJournal>();

// A key cannot be widened and written through.
// @ts-expect-error -- invariant
const widened: JournalKey<number | string> = count;
void widened;
