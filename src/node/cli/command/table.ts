import { printable } from "../printable";

/** Columns in line, their titles first. */
export function formatTable(titles: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [titles, ...rows].map((row) => row.map((cell) => printable(String(cell ?? "-")) || "-"));
  const widths = titles.map((_title, column) => longest(cells, column));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** One by one: a server may list more than a call can take as arguments. */
const longest = (cells: readonly (readonly string[])[], column: number): number =>
  cells.reduce((length, row) => Math.max(length, (row[column] ?? "").length), 0);
