/** The books. What was paid stands here, and nowhere else. */
import { randomUUID } from "node:crypto";
import type { Order } from "./contract";
import { openDatabase } from "./database";

/**
 * `movements` is the effect: money that moves, once for each row, whatever its order. `payments` remembers by order what was done.
 * `repeats` counts for this example how often a payment was asked for again that was done.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS movements (id INTEGER PRIMARY KEY, order_id TEXT NOT NULL, cents INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS payments (order_id TEXT PRIMARY KEY, receipt TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS repeats (id INTEGER PRIMARY KEY, order_id TEXT NOT NULL) STRICT;
`;

/** What became of a payment. */
export interface Paid {
  /** The same each time that it is asked for. */
  readonly receipt: string;
  /** Whether the money was moved by this call. */
  readonly isNew: boolean;
}

export function openLedger(folder: string) {
  const database = openDatabase(folder, "ledger", schema);
  const find = database.prepare<[string], { readonly receipt: string }>(
    "SELECT receipt FROM payments WHERE order_id = ?",
  );
  const remember = database.prepare("INSERT INTO payments (order_id, receipt) VALUES (?, ?)");
  const move = database.prepare("INSERT INTO movements (order_id, cents) VALUES (?, ?)");
  const repeat = database.prepare("INSERT INTO repeats (order_id) VALUES (?)");
  const count = (sql: string): number => database.prepare<[], { readonly n: number }>(sql).get()?.n ?? 0;

  // The effect and the memory of it are one transaction: a process that is killed leaves both, or none.
  const pay = database.transaction(({ id, cents }: Order): Paid => {
    const known = find.get(id);
    if (known !== undefined) {
      repeat.run(id);
      return { receipt: known.receipt, isNew: false };
    }
    const receipt = randomUUID();
    move.run(id, cents);
    remember.run(id, receipt);
    return { receipt, isNew: true };
  }).immediate;

  return {
    /** Moves the money of an order, once. */
    pay: (order: Order): Paid => pay(order),
    counts: () => ({
      paid: count("SELECT count(DISTINCT order_id) AS n FROM movements"),
      twice: count("SELECT count(*) AS n FROM (SELECT 1 FROM movements GROUP BY order_id HAVING count(*) > 1)"),
      cents: count("SELECT sum(cents) AS n FROM movements"),
      repeats: count("SELECT count(*) AS n FROM repeats"),
    }),
    close: () => void database.close(),
  };
}
