/** Opens a database that several processes write, any of which may be killed. */
import { join } from "node:path";
import Database from "better-sqlite3";

export function openDatabase(folder: string, name: "ledger" | "mails", schema: string): Database.Database {
  const database = new Database(join(folder, `${name}.db`), { timeout: 20_000 });
  database.pragma("journal_mode = WAL");
  database.exec(schema);
  return database;
}
