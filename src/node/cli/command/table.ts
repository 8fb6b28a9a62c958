import { printable } from "../printable";

/** Columns in line, their titles first. */
export function formatTable(titles: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [titles, ...rows].map((row) => row.map((cell) => printable(String(cell ?? "-")) || "-"));
  const widths = titles.map((_title, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
