import type { ChalkInstance } from "chalk";
import Table from "cli-table3";
import type { Block, View } from "../../core/ports/output.ts";
import { printable, printableLine } from "./printable.ts";

export interface ViewStyle {
  readonly chalk: ChalkInstance;
  /** Width of the terminal; undefined when there is none, and then nothing is wrapped, so that lines can be searched. */
  readonly columns: number | undefined;
}

/**
 * The text of a result. Texts that follow one another are lines of one paragraph; an empty line parts everything else,
 * but not a title from what it heads. Empty tables vanish.
 */
export function viewText(view: View, style: ViewStyle): string {
  let text = "";
  let previous: Block | undefined;
  for (const block of view) {
    const lines = blockText(block, style);
    if (lines === "") continue;
    const apart = previous !== undefined && !("title" in previous) && !("text" in previous && "text" in block);
    text += `${apart ? "\n" : ""}${lines}\n`;
    previous = block;
  }
  return text;
}

function blockText(block: Block, style: ViewStyle): string {
  if ("text" in block) return printable(block.text);
  if ("title" in block) return style.chalk.bold(printableLine(block.title));
  if ("pairs" in block) {
    return tableText(
      block.pairs.map(([name, value]) => [name, value]),
      [],
      style,
    );
  }
  return block.rows.length === 0 ? "" : tableText(block.rows, block.head, style);
}

const GAP = 2;
/** The table library takes time that grows with the square of the rows; longer tables are only padded. */
const MOST_ROWS = 500;
const NARROWEST = 12;

function tableText(
  rows: readonly (readonly string[])[],
  head: readonly string[],
  { chalk, columns }: ViewStyle,
): string {
  const cells = rows.map((row) => row.map(printableLine));
  if (rows.length > MOST_ROWS) return paddedText(cells, head, chalk);
  const widths = columnWidths([head, ...cells], columns);
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP, compact: true },
    ...(widths === undefined ? {} : { colWidths: widths, wordWrap: true, wrapOnWordBoundary: true }),
  });
  if (head.length > 0) table.push(head.map((cell) => chalk.dim(printableLine(cell))));
  // Without a head, what is dim is the name of each pair.
  table.push(...cells.map((row) => (head.length > 0 ? row : row.map((cell, i) => (i === 0 ? chalk.dim(cell) : cell)))));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Never wrapped: nobody reads that many lines without a pager. */
function paddedText(rows: readonly (readonly string[])[], head: readonly string[], chalk: ChalkInstance): string {
  const titles = head.map(printableLine);
  const widths: number[] = titles.map((title) => title.length);
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const gap = (cell: string, i: number): string => " ".repeat((widths[i] ?? 0) + GAP - cell.length);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell + gap(cell, i))
      .join("")
      .trimEnd();
  const top = titles
    .map((title, i) => chalk.dim(title) + gap(title, i))
    .join("")
    .trimEnd();
  return [...(head.length > 0 ? [top] : []), ...rows.map(line)].join("\n");
}

/** Undefined when the table fits as it is; else the widest column gives way. */
function columnWidths(rows: readonly (readonly string[])[], columns: number | undefined): number[] | undefined {
  const count = Math.max(...rows.map((row) => row.length));
  const widths = Array.from(
    { length: count },
    (_, i) => GAP + Math.max(...rows.map((row) => [...(row[i] ?? "")].length)),
  );
  const excess = widths.reduce((sum, width) => sum + width, 0) - GAP - (columns ?? Number.POSITIVE_INFINITY);
  if (excess <= 0) return undefined;
  const widest = widths.indexOf(Math.max(...widths));
  return widths.map((width, i) => (i === widest ? Math.max(NARROWEST, width - excess) : width));
}

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};
