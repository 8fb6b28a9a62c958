/** Stands for a mail server: each row is a mail that a customer gets. */
import type { Payment } from "./contract";
import { openDatabase } from "./database";

const schema =
  "CREATE TABLE IF NOT EXISTS mails (id INTEGER PRIMARY KEY, order_id TEXT NOT NULL, text TEXT NOT NULL) STRICT";

export function openMails(folder: string) {
  const database = openDatabase(folder, "mails", schema);
  const add = database.prepare("INSERT INTO mails (order_id, text) VALUES (?, ?)");
  const count = (sql: string): number => database.prepare<[], { readonly n: number }>(sql).get()?.n ?? 0;
  return {
    send: ({ orderId, receipt }: Payment): void => void add.run(orderId, `paid: ${receipt}`),
    counts: () => ({
      mailed: count("SELECT count(DISTINCT order_id) AS n FROM mails"),
      twice: count("SELECT count(*) AS n FROM (SELECT 1 FROM mails GROUP BY order_id HAVING count(*) > 1)"),
    }),
    close: () => void database.close(),
  };
}
