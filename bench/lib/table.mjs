import { availableParallelism, loadavg } from "node:os";

const isNumeric = (text) => /^[-\d]/.test(text);

/** Prints rows of cells as an aligned table; columns of numbers are right-aligned. */
export function printTable(header, rows) {
  const lines = [header, ...rows].map((cells) => cells.map((cell) => String(cell ?? "")));
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column].length)));
  const right = header.map((_, column) =>
    lines.slice(1).every((cells) => cells[column] === "" || isNumeric(cells[column])),
  );
  const format = (cells) =>
    cells.map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])));
  const [head, ...body] = lines.map((cells) => format(cells).join("  ").trimEnd());
  console.log([head, widths.map((width) => "-".repeat(width)).join("  "), ...body].join("\n"));
}

/** Prints what is measured, and how busy the machine is while it is. */
export function printTitle(title) {
  const [load] = loadavg();
  console.log(`\n${title}`);
  console.log(`Node ${process.version}, ${availableParallelism()} cores, load ${load.toFixed(1)} at the start\n`);
}

/** A number with three significant digits or all those before the point; "-" for what was not measured. */
export function number(value) {
  if (!Number.isFinite(value)) return "-";
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(value >= 1 ? 3 : 2);
}

/** A ratio with two decimals. */
export const ratio = (value) => (Number.isFinite(value) ? value.toFixed(2) : "-");
